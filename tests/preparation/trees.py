"""Small copies of the official trees: true names, true forms of labels, the twins' drawn faces in the pictures."""

import io
import struct
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from fercore.faces.alignment import TEMPLATE
from fercore.quality.samples import people, recipe
from fercore.twins.renderer import render


@cache
def drawn() -> np.ndarray:
    """A few people with two expressions, as the twin of CK+ shows them in good light."""
    return render(people(3, ("happiness", "surprise"), recipe(0.3))[0], 192)


def pixels(seed: int, width: int = 64, height: int = 48, colour: bool = False) -> np.ndarray:
    """A drawn face in the middle, with grain of its own: no two seeds give the same picture."""
    face, side = drawn()[seed % len(drawn())], min(width, height)
    picture = np.full((height, width), face[0, 0])
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)
    picture[top : top + side, left : left + side] = square
    grain = np.random.default_rng(seed).normal(0, 2, picture.shape)
    picture = (picture + grain).clip(0, 255).astype(np.uint8)
    return np.repeat(picture[..., None], 3, axis=2) if colour else picture


def photo(file: Path, seed: int = 0, **how) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed, **how)).save(file)
    return file


def text(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def video(file: Path, pictures: Iterable[np.ndarray]) -> Path:
    """A real film of these pictures, 25 a second."""
    import cv2

    file.parent.mkdir(parents=True, exist_ok=True)
    shown = [picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2) for picture in pictures]
    height, width = shown[0].shape[:2]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25, (width, height))
    assert writer.isOpened()
    for picture in shown:
        writer.write(picture[..., ::-1])
    writer.release()
    return file


def filmed(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Pictures of one face, lighter with every frame."""
    return [(pixels(1, width, height) * (0.4 + 0.05 * i)).astype(np.uint8) for i in range(count)]


def landmarks(width: int, height: int) -> str:
    """68 points of the face in the middle of a picture, as CK+ writes them: those that are used in their place."""
    side = min(width, height)
    points = np.full((68, 2), 0.5)
    for part, place in zip((slice(36, 42), slice(42, 48), 30, 48, 54), TEMPLATE, strict=True):
        points[part] = place
    points = (width - side) / 2 * np.array([1, 0]) + (height - side) / 2 * np.array([0, 1]) + side * points
    return "\n".join(f"   {x:.7e}   {y:.7e}" for x, y in points)


def ckplus(root: Path, sequences=(("S005", "001", 3, 4), ("S010", "002", 7, 3), ("S010", "004", 1, 3))) -> Path:
    """Images, labels and landmarks in the folders they unpack to; one sequence without a label."""
    for n, (subject, sequence, label, length) in enumerate(sequences):
        for frame in range(1, length + 1):
            stem = f"{subject}/{sequence}/{subject}_{sequence}_{frame:08d}"
            photo(root / f"extended-cohn-kanade-images/cohn-kanade-images/{stem}.png", 100 * n + frame)
            text(root / f"Landmarks/Landmarks/{stem}_landmarks.txt", landmarks(64, 48))
        if label:
            text(root / f"Emotion_labels/Emotion/{stem}_emotion.txt", f"   {label:.7e}\n")
        else:
            (root / f"Emotion_labels/Emotion/{subject}/{sequence}").mkdir(parents=True)
    return root


def ck48(root: Path) -> Path:
    for n, (label, stem) in enumerate((("anger", "S010_004"), ("happy", "S011_006"))):
        for frame in (17, 18, 19):
            photo(root / f"CK+48/{label}/{stem}_{frame:08d}.png", 10 * n + frame, width=48)
    return root


def oulu(root: Path) -> Path:
    for subject in ("P001", "P002"):
        for label in ("Anger", "Happiness"):
            for frame in range(4):
                photo(root / f"B_OriginalImg/OriginalImg/VL/Strong/{subject}/{label}/{frame:03d}.jpeg", frame)
            photo(root / f"B_OriginalImg/OriginalImg/NI/Strong/{subject}/{label}/000.jpeg")
            text(root / f"B_OriginalImg/OriginalImg/VL/Strong/{subject}/{label}/Thumbs.db", "junk")
    return root


def rafdb(root: Path) -> Path:
    lines = ["train_00001.jpg 5", "train_00002.jpg 7", "test_0001.jpg 1"]
    text(root / "basic/EmoLabel/list_patition_label.txt", "\n".join(lines) + "\n")
    for n, line in enumerate(lines):
        photo(root / f"basic/Image/aligned/{line.split()[0][:-4]}_aligned.jpg", n, width=100, height=100, colour=True)
    return root


def affectnet_2017(root: Path) -> Path:
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
    marks = ";".join(str(10 + i / 5) for i in range(136))
    names = [f"{n}/{n:x}{'a' * 40}.jpg" for n in range(5)]
    rows = [f"{name},0,0,40,40,{marks},{label},0.1,0.2" for name, label in zip(names, (0, 1, 7, 10, 6), strict=True)]
    text(root / "Manually_Annotated_file_lists/training.csv", "\n".join([head, *rows[:4], "broken,row"]) + "\n")
    text(root / "Manually_Annotated_file_lists/validation.csv", rows[4] + "\n")
    for n, name in enumerate(names[:2] + names[4:]):
        photo(root / "Manually_Annotated/Manually_Annotated_Images" / name, n, colour=True)
    return root


def affectnet_2021(root: Path) -> Path:
    for split, number, label in (("train", 0, "1"), ("train", 10, "6"), ("val", 3, "0")):
        photo(root / f"{split}_set/images/{number}.jpg", number, width=64, height=64, colour=True)
        file = root / f"{split}_set/annotations/{number}_exp.npy"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.array(label))
        np.save(file.with_name(f"{number}_lnd.npy"), np.array(landmarks(64, 64).split(), float))
    return root


def fedro(root: Path) -> Path:
    for n, label in enumerate(("anger", "neural", "happy")):
        photo(root / f"FED_RO/{label}/occ_img_{n}.jpg", n, colour=True)
    return root


def sfew(root: Path) -> Path:
    photo(root / "Train/Train_Aligned_Faces/Angry/21_001010160_00000010.png", 0, width=143, height=181, colour=True)
    photo(
        root / "Val/Val_Aligned_Faces_new/Happy/Air_heads_000519240_00000005.png", 1, width=143, height=181, colour=True
    )
    photo(root / "Test/Test_Aligned_Faces/Air_heads_000519240_00000007.png", 2, width=143, height=181)
    return root


def jaffe(root: Path) -> Path:
    for n, name in enumerate(("KA.AN1.39", "KA.NE1.26", "SA.HA2.10", "SA.NE2.12")):
        photo(root / f"jaffe/{name}.tiff", n)
    text(root / "jaffe/README", "junk")
    return root


def london(root: Path) -> Path:
    for n, person in enumerate(("001", "030")):
        photo(root / f"neutral_front/{person}_03.jpg", 2 * n, colour=True)
        photo(root / f"smiling_front/{person}_08.jpg", 2 * n + 1, colour=True)
    return root


def kdef(root: Path) -> Path:
    for n, name in enumerate(("AF01ANS", "AF01NES", "BF01NES", "BF01HAS", "AM02NES", "AF01SUFR", "AM02HAFL")):
        photo(root / f"KDEF_and_AKDEF/KDEF/{name[:4]}/{name}.JPG".replace("JPG", "jpg"), n, colour=True)
    return root


def fer2013(root: Path) -> Path:
    rows = ["emotion,pixels,Usage"]
    for n, (label, usage) in enumerate(((0, "Training"), (3, "PublicTest"), (6, "PrivateTest"))):
        rows.append(f"{label},{' '.join(map(str, pixels(n, 48, 48).ravel()))},{usage}")
    rows.append(f"4,{' '.join(['0'] * 48 * 48)},Training")
    text(root / "fer2013.csv", "\n".join(rows) + "\n")
    votes = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes += "Training,fer0000000.png,0,0,0,0,8,1,1,0,0,0\nPublicTest,fer0000001.png,4,4,2,0,0,0,0,0,0,0\n"
    votes += "PrivateTest,fer0000002.png,0,0,0,0,0,0,0,9,1,0\nTraining,,0,0,0,0,0,0,0,0,0,10\n"
    text(root / "fer2013new.csv", votes)
    return root


def multipie(root: Path) -> Path:
    for n, name in enumerate(("001_01_01_051_07", "001_01_02_140_07", "001_02_03_051_07", "001_01_02_240_07")):
        subject, session, recording, camera, _ = name.split("_")
        folder = f"Multi-Pie/data/session{session}/multiview/{subject}/{recording}/{camera[:2]}_{camera[2]}"
        photo(root / folder / f"{name}.png", n, colour=True)
    return root


def casia_webface(root: Path) -> Path:
    for n, name in enumerate(("0000045/001", "0000045/002", "0000099/001", "0166921/001")):
        photo(root / f"CASIA-WebFace/{name}.jpg", n, colour=True)
    return root


RECORD_MAGIC = struct.pack("<I", 0xCED7230A)


def record(content: bytes) -> bytes:
    """A record as MXNet writes it: cut, and shortened, where the content itself has the magic number."""
    words = [content[i : i + 4] for i in range(0, len(content), 4)]
    cuts = [i for i, word in enumerate(words) if word == RECORD_MAGIC]
    parts = [b"".join(words[a:b]) for a, b in zip([0, *(i + 1 for i in cuts)], [*cuts, None], strict=True)]
    kinds = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    written = b""
    for kind, part in zip(kinds, parts, strict=True):
        written += RECORD_MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
    return written


def casia_records(root: Path) -> Path:
    """An index; a picture with one label; one with a list of labels; one whose comment holds the magic number."""
    jpegs = []
    for n in range(3):
        stream = io.BytesIO()
        Image.fromarray(pixels(n, 32, 32, True)).save(stream, "JPEG")
        jpegs.append(stream.getvalue())
    comment = b"\xff\xfe" + struct.pack(">H", 10) + b"xx" + RECORD_MAGIC + b"yy"
    content = record(struct.pack("<IfQQ", 2, 0, 0, 0) + struct.pack("<ff", 4, 6))
    content += record(struct.pack("<IfQQ", 0, 0, 1, 0) + jpegs[0])
    content += record(struct.pack("<IfQQ", 2, 0, 2, 0) + struct.pack("<ff", 1, 0) + jpegs[1])
    content += record(struct.pack("<IfQQ", 0, 2, 3, 0) + jpegs[2][:2] + comment + jpegs[2][2:])
    file = root / "faces_webface_112x112" / "train.rec"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    return root


def vggface(root: Path) -> Path:
    rows = "00000001 http://a.b/c d.jpg 4.5 5.5 40.0 44.0 3.00 4.2 1\n00000002 http://x/y.jpg 0 0 9 9 1.00 2.2 0\n"
    text(root / "vgg_face_dataset/files/A.J._Buckley.txt", rows + "00000003 http://x/z.jpg 1 1 40 40 1.0 2.2 1\n")
    photo(root / "images/A.J._Buckley/00000001.jpg", 1, colour=True)
    photo(root / "images/A.J._Buckley/00000002.jpg", 2, colour=True)
    return root


def mmi(root: Path) -> Path:
    """One recording of each view: a dual one with the front on the right, a frontal and a profile lying on a side."""
    stored = {
        2: lambda face: np.concatenate([np.zeros((576, 361), np.uint8), face[:, :361]], axis=1),
        0: lambda face: np.rot90(face),
        1: lambda face: np.rot90(face, -1),
    }
    for session, name, emotion, view in ((224, "S002-106", 4, 2), (900, "S028-003", 6, 0), (901, "S021-001", 1, 1)):
        folder = root / "mmi-facial-expression-database_download_2019-05-13_03_06_41" / "Sessions" / str(session)
        text(
            folder / f"{name}.xml",
            f'<Metadata><Metatag Name="Sex" Value="M"/><Metatag Name="Emotion" Value="{emotion}"/></Metadata>',
        )
        text(folder / "session.xml", f'<session><track view="{view}" filename="{name}.avi"/></session>')
        video(folder / f"{name}.avi", map(stored[view], filmed(5, *((362, 576) if view == 2 else (720, 576)))))
    return root


def mahnob(root: Path) -> Path:
    """Two sessions, one without film; the thermal film lies elsewhere, as nobody says where it belongs."""
    folder = root / "mahnob-laughter-database_download_2020-05-22_20_39_52"
    head = "Flag,Type,Start Time (sec),End Time (sec),Start Frame,End Frame\n"
    rows = ",Laughter,0.08,0.2,2,6\n,Other,0,0.1,0,1\n,PosedLaughter,0.32,0.36,8,9\n,Speech,0,0.1,9,3\n"
    text(folder / "Sessions/4/laughterAnnotation.csv", head + rows)
    video(folder / "Sessions/4/S001-005.avi", filmed(12))
    video(folder / "Thermal/S001-005_thermal.avi", filmed(12))
    text(folder / "Sessions/75/laughterAnnotation.csv", "")
    text(folder / "Sessions/76/laughterAnnotation.csv", "")
    video(folder / "Sessions/76/S009-001.avi", filmed(2))
    return root


def mmse(root: Path) -> Path:
    """One woman in two tasks, with landmarks of both cameras for the first."""
    base = root / "BP4D+_v0.2"
    text(base / "AUCoding/AU_OCC/F001_T1.csv", "0,1,2,4,6,7,12\n1,0,0,0,1,0,1\n2,0,0,0,0,0,0\n3,0,0,9,0,0,0\n")
    text(base / "AUCoding/AU_OCC/F001_T8.csv", "0,6,4,7\n1,1,1,1\n")
    for task, frames in (("T1", 3), ("T8", 2)):
        for frame in range(frames):
            photo(base / f"2D+3D/F001/{task}/{frame:04d}.jpg", frame, colour=True)
    video(base / "Thermal/F001/T1.avi", filmed(3, 100, 64)).rename(base / "Thermal/F001/T1.wmv")
    points = np.full((49, 2), 30.0)
    for part, place in zip((slice(19, 25), slice(25, 31), 13, 31, 37), TEMPLATE, strict=True):
        points[part] = place * 48 + (8, 0)
    fit = np.zeros(2, dtype=[("frame", object), ("pts_2d", object), ("headPose", object)])
    fit[0], fit[1] = (1.0, points, np.zeros(3)), (2.0, np.empty((0, 0)), np.empty((0, 0)))  # the second was lost
    (base / "2DFeatures").mkdir()
    savemat(base / "2DFeatures/F001_T1.mat", {"fit": fit})
    warm = np.full((28, 2), 40.0)
    warm[[9, 20]], warm[10], warm[21] = (
        TEMPLATE[2] * 64 + (12, 0),
        TEMPLATE[3] * 64 + (12, 0),
        TEMPLATE[4] * 64 + (12, 0),
    )
    lines = [" ".join(f"{value:.2f}" for value in row.ravel()) for row in (warm, 0 * warm)]  # the second was lost
    text(base / "IRFeatures/F001_T1.txt", "\n".join(lines) + "\n")
    return root
