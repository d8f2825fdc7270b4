"""Small copies of the official trees: true names, true forms of labels, drawn noise for faces."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, width: int = 64, height: int = 48, colour: bool = False) -> np.ndarray:
    shape = (height, width, 3) if colour else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def photo(file: Path, seed: int = 0, **how) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels(seed, **how)).save(file)
    return file


def text(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)
    return file


def video(file: Path, frames: int, width: int = 64, height: int = 48) -> Path:
    """A real film whose frame i has gray level 10 i everywhere."""
    import cv2

    file.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 25, (width, height))
    assert writer.isOpened()
    for i in range(frames):
        writer.write(np.full((height, width, 3), 10 * i, np.uint8))
    writer.release()
    return file


LANDMARKS = "\n".join(f"   {20 + i / 4:.7e}   {10 + i / 3:.7e}" for i in range(68))


def ckplus(root: Path, sequences=(("S005", "001", 3, 4), ("S010", "002", 7, 3), ("S010", "004", 1, 3))) -> Path:
    """Images, labels and landmarks in the folders they unpack to; one sequence without a label."""
    for n, (subject, sequence, label, length) in enumerate(sequences):
        for frame in range(1, length + 1):
            stem = f"{subject}/{sequence}/{subject}_{sequence}_{frame:08d}"
            photo(root / f"extended-cohn-kanade-images/cohn-kanade-images/{stem}.png", 100 * n + frame)
            text(root / f"Landmarks/Landmarks/{stem}_landmarks.txt", LANDMARKS)
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


def casia_records(root: Path) -> Path:
    content = b""
    for n in range(3):
        jpeg = io.BytesIO()
        Image.fromarray(pixels(n, 32, 32, True)).save(jpeg, "JPEG")
        record = struct.pack("<IfQQ", 2 if n == 0 else 0, float(n), n, 0) + jpeg.getvalue()
        content += struct.pack("<II", 0xCED7230A, len(record)) + record + b"\0" * (-len(record) % 4)
    file = root / "faces_webface_112x112" / "train.rec"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    photo(root / "CASIA-WebFace/0000045/001.jpg", 9)
    return root


def vggface(root: Path) -> Path:
    rows = "00000001 http://a.b/c d.jpg 4.5 5.5 40.0 44.0 3.00 4.2 1\n00000002 http://x/y.jpg 0 0 9 9 1.00 2.2 0\n"
    text(root / "vgg_face_dataset/files/A.J._Buckley.txt", rows + "00000003 http://x/z.jpg 1 1 40 40 1.0 2.2 1\n")
    photo(root / "images/A.J._Buckley/00000001.jpg", 1, colour=True)
    photo(root / "images/A.J._Buckley/00000002.jpg", 2, colour=True)
    return root


def mmi(root: Path) -> Path:
    for session, name, emotion, view in ((224, "S002-106", 4, 2), (900, "S028-003", 6, 0), (901, "S021-001", 1, 1)):
        folder = root / "mmi-facial-expression-database_download_2019-05-13_03_06_41" / "Sessions" / str(session)
        text(
            folder / f"{name}.xml",
            f'<Metadata><Metatag Name="Sex" Value="M"/><Metatag Name="Emotion" Value="{emotion}"/></Metadata>',
        )
        text(folder / "session.xml", f'<session><track view="{view}" filename="{name}.avi"/></session>')
        video(folder / f"{name}.avi", 5, *((722, 576) if view == 2 else (576, 720)))
    return root


def mahnob(root: Path) -> Path:
    folder = root / "mahnob-laughter-database_download_2020-05-22_20_39_52" / "Sessions"
    head = "Flag,Type,Start Time (sec),End Time (sec),Start Frame,End Frame\n"
    rows = ",Laughter,0,0.2,2,6\n,Other,0,0.1,0,1\n,PosedLaughter,0,0.1,8,9\n"
    text(folder / "4/laughterAnnotation.csv", head + rows)
    video(folder / "4/S001-005.avi", 12)
    video(folder / "4/S001-005_thermal.avi", 12)
    text(folder / "75/laughterAnnotation.csv", "")
    return root


def mmse(root: Path) -> Path:
    text(
        root / "BP4D+_v0.2/AUCoding/AU_OCC/F001_T1.csv", "0,1,2,4,6,7,12\n1,0,0,0,1,0,1\n2,0,0,0,0,0,0\n3,0,0,9,0,0,0\n"
    )
    text(root / "BP4D+_v0.2/AUCoding/AU_OCC/F001_T8.csv", "0,6,4,7\n1,1,1,1\n")
    for task, frames in (("T1", 3), ("T8", 2)):
        for frame in range(frames):
            photo(root / f"BP4D+_v0.2/2D+3D/F001/{task}/{frame:04d}.jpg", frame, colour=True)
    video(root / "BP4D+_v0.2/Thermal/F001/T1.wmv".replace("wmv", "avi"), 3, 100, 64)
    (root / "BP4D+_v0.2/Thermal/F001/T1.avi").rename(root / "BP4D+_v0.2/Thermal/F001/T1.wmv")
    return root
