"""The run store: one folder per finished run; existing means finished."""

import dataclasses
import importlib
import json
import resource
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from safetensors.torch import save as serialised

from fercore import paths, provenance
from fercore.faces import folds
from fercore.faces.accompanied import Accompanied
from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet
from fercore.faces.modalities import Streams
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import PROTOCOLS, Division, Part, divide
from fercore.faces.sources import fingerprint_now, open_faces
from fercore.method import Method
from fercore.predictions import predictions
from fercore.stages import before, distinct, noted, pretraining_of
from fercore.storage import digest, one_at_a_time, whole_folder, write_json
from fercore.training import Course, fit


class ChangeError(ValueError):
    """A configuration has no such field or cannot take such a value; lists what can."""


class RunError(RuntimeError):
    """A run cannot be made or read; says which and the way out."""


@dataclass(frozen=True)
class RunSpec:
    """Everything that determines a run."""

    paper: str
    variant: str
    dataset: str
    protocol: str
    fold: int
    tier: str = "twin"
    source: str = "twin"
    seed: int = 0
    changes: tuple[tuple[str, Any], ...] = ()  # (field, value) that differ from the tier's configuration
    inner: int | None = None  # to choose settings: this inner fold of the fold's training people is tested instead

    def __post_init__(self):
        object.__setattr__(self, "changes", _frozen(self.changes))  # JSON and notebooks hand over lists; a key has none

    @property
    def module(self) -> ModuleType:
        """The paper's file."""
        return importlib.import_module(f"fercore.papers.{self.paper}")

    @property
    def config(self) -> Any:
        """The tier's configuration with this run's changes."""
        config = self.module.TIERS[self.tier]
        if unknown := {name for name, _ in self.changes} - {field.name for field in dataclasses.fields(config)}:
            raise ChangeError(f"no field {sorted(unknown)}; valid: {', '.join(sorted(asdict(config)))}")
        try:
            return dataclasses.replace(config.on(self.protocol), **dict(self.changes))
        except ValueError as error:
            raise ChangeError(str(error)) from error

    @property
    def terms(self) -> frozenset[str]:
        """The terms that this run's variant (or pre-training stage) keeps."""
        stages = {name: stage.terms for name, stage in self.module.PRETRAINING.items() if stage.terms is not None}
        return (self.module.VARIANTS | stages)[self.variant]

    @property
    def folder(self) -> Path:
        """Where the finished run stands: readable first, hashed for truth."""
        spec = asdict(dataclasses.replace(self, changes=()))  # the configuration holds what they changed
        truth = json.dumps({"spec": spec, "config": asdict(self.config)}, sort_keys=True, default=list)
        name = f"{self.protocol}-{self.variant}-{self._place}-seed{self.seed}-{digest(truth.encode())[:10]}"
        return paths.results() / "runs" / self.paper / f"{self.dataset}-{self.source}-{self.tier}" / name

    @property
    def _place(self) -> str:
        return f"fold{self.fold}" if self.inner is None else f"fold{self.fold}.{self.inner}"

    def faces(self) -> FaceSet:
        """The images that the run sees."""
        config = self.config
        return open_faces(self.dataset, self.source, config.stored_size, config.twin_subjects, config.channels == 3)

    @property
    def modality(self) -> str:
        """Of the images that it learns: the pre-training stage's, or the protocol's."""
        stages = {name: stage.modality for name, stage in self.module.PRETRAINING.items()}
        return stages.get(self.variant, PROTOCOLS[self.protocol].modality)

    def divide(self, faces: FaceSet, modality: str | None = None) -> Division:
        """This run's training and test side, of the modality that it learns or of another."""
        protocol = dataclasses.replace(PROTOCOLS[self.protocol], modality=modality or self.modality)
        return divide(faces, protocol, self.fold, self.inner)

    def examples(
        self, faces: FaceSet, part: Part, purpose: str, device: str = "cpu", paired: np.ndarray | None = None,
        references: np.ndarray | None = None,
    ) -> Examples:  # fmt: skip
        """A part of ``faces`` as this run sees it for ``purpose``, "training" or "test": covered, if the paper does."""
        config = self.config
        cover = Cover(config.occlusions, purpose) if config.occlusions else None
        batches = config.batches(self)
        return Examples(faces, part, config.image_size, device, config.channels, cover, paired, references, batches)

    def learned(self, faces: FaceSet, streams: Streams, device: str = "cpu") -> Examples | Accompanied:
        """The images that this run learns from, with the privileged ones that stand beside them."""
        own = self.examples(faces, streams.image, "training", device, streams.paired, streams.references)
        if streams.beside is None:
            return own
        return Accompanied(own, self.examples(*streams.beside, "training", device))

    def __str__(self) -> str:
        return f"{self.variant} on {self.dataset}/{self.protocol}, {self._place}, seed {self.seed} ({self.tier})"


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder."""

    spec: RunSpec
    about: dict

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per test image, with the fold."""
        return pd.read_parquet(self.spec.folder / "predictions.parquet").assign(fold=self.spec.fold)

    @property
    def early(self) -> pd.DataFrame:
        """The same for frames of small intensity of the test subjects."""
        return pd.read_parquet(self.spec.folder / "early.parquet").assign(fold=self.spec.fold)

    @property
    def history(self) -> pd.DataFrame:
        """Mean of every term per epoch."""
        return pd.read_csv(self.spec.folder / "history.csv")

    @property
    def features(self) -> np.ndarray:
        """What the first fully connected layer says of every test image, N x F."""
        return np.load(self.spec.folder / "features.npy", allow_pickle=False)

    @property
    def stale(self) -> bool:
        """Whether code or prepared images have changed since, its own or those of what it started from."""
        code = provenance.source_digest(self.spec.paper)
        return any(
            one["source_digest"] != code
            or fingerprint_now(one["dataset"], one["source"]) not in (None, one["fingerprint"])
            for one in noted(self)
        )

    @property
    def stamp(self) -> str:
        """What stands under a figure of this run alone."""
        spec = self.spec
        parts = [f"tier {spec.tier}", f"data: {self.about['data']['credit']}", f"seed {spec.seed}"]
        return " · ".join([*parts, *provenance.origin([self], 1)])

    def method(self) -> Method:
        """The trained networks, on the CPU."""
        method = self.spec.module.METHOD(self.spec.config, tuple(self.about["classes"]), self.spec.terms)
        method.load_state_dict(load_file(self.spec.folder / "weights.safetensors"))
        return method.to(memory_format=torch.channels_last).eval().requires_grad_(False)

    def faces(self) -> FaceSet:
        """The images this run saw; raises RunError where they have changed since."""
        faces = self.spec.faces()
        if faces.fingerprint != self.about["data"]["fingerprint"]:
            raise RunError(f"the images of {self.spec.dataset} changed since {self.spec.folder} was made; remove it")
        return faces

    def division(self) -> Division:
        """This run's training and test side."""
        return self.spec.divide(self.faces())


def find(spec: RunSpec) -> Run | None:
    """The finished run, or None."""
    file = spec.folder / "run.json"
    if not file.is_file():
        return None
    provenance.trace(spec.folder)
    return Run(spec, json.loads(file.read_text()))


def get_or_train(spec: RunSpec, device: str = "cpu") -> Run:
    """The finished run; trained first where it does not exist, by one process at a time."""
    with one_at_a_time(spec.folder.with_name(f".{spec.folder.name}.lock")):
        return find(spec) or _train(spec, device)


@dataclass(frozen=True)
class Beginning:
    """A run before its first step."""

    faces: FaceSet
    division: Division
    method: Method
    examples: Examples | Accompanied
    test: Examples
    course: Course
    learned_from: list[dict]  # as in its record


def begin(spec: RunSpec, device: str = "cpu") -> Beginning:
    """All that training ``spec`` starts from; pre-training stages that do not exist are trained first."""
    torch.backends.cudnn.deterministic = True  # a seed's run is the same again on a GPU too
    config, faces = spec.config, spec.faces()
    division = spec.divide(faces)
    method = _untrained(spec, division.classes)
    streams = config.streams(spec, faces, division, device)
    examples = spec.learned(faces, streams, device)
    method.check(examples)
    test = spec.examples(faces, division.test, "test", device)
    method.check(test)
    provided, used = _pretrained(spec, method, device)
    if not provided:
        method.initialise()
    for name, state in provided.items():
        method.get_submodule(name).load_state_dict(state)
    changed = Augmentation(config.scale, config.rotation, config.intensity, config.crops)
    course = Course(method.iterations, config.batch_size, spec.seed, changed)
    learned_from = [*streams.learned_from, *(note for run in used for note in noted(run))]
    method = method.to(device, memory_format=torch.channels_last)
    return Beginning(faces, division, method, examples, test, course, distinct(learned_from))


def _train(spec: RunSpec, device: str) -> Run:
    run = begin(spec, device)
    partial = spec.folder.with_name(f".{spec.folder.name}.partial")
    behind = json.dumps([run.faces.fingerprint, run.learned_from])
    cause = digest(provenance.source_digest(spec.paper).encode(), behind.encode())
    try:
        history = fit(run.method, run.examples, run.course, partial / "checkpoint.pt", title=str(spec), cause=cause)
        run.method.eval()
        about = described(spec, run, history.attrs["seconds"])
        with whole_folder(spec.folder) as aside:
            history.to_csv(aside / "history.csv", index=False)
            _write(aside, spec, run)
            write_json(aside / "run.json", about)
    except OSError as error:
        raise RunError(f"cannot write {spec.folder}: {error}; make room and repeat, training is kept") from error
    shutil.rmtree(partial, ignore_errors=True)
    provenance.trace(spec.folder)
    return Run(spec, about)


def _untrained(spec: RunSpec, classes: tuple[str, ...]) -> Method:
    torch.manual_seed(spec.seed)
    try:
        return spec.module.METHOD(spec.config, classes, spec.terms)
    except ValueError as error:
        raise ChangeError(f"{spec}: {error}") from error


def pretrain(spec: RunSpec, stage: str, device: str = "cpu") -> Run:
    """The pre-training stage that ``spec``'s configuration asks for; trained first where it does not exist."""
    return get_or_train(pretraining_of(spec, stage), device)


def _pretrained(spec: RunSpec, method: Method, device: str) -> tuple[dict[str, dict], list[Run]]:
    """Weights that pre-training provides for the networks of ``method``, and the runs they come from."""
    weights, used = {}, []
    for name, provided in before(spec).items():
        if wanted := [network for network in provided if hasattr(method, network)]:
            used.append(pretrain(spec, name, device))
            trained = used[-1].method()
            weights |= {network: trained.get_submodule(network).state_dict() for network in wanted}
    return weights, used


@torch.no_grad()
def _write(folder: Path, spec: RunSpec, run: Beginning) -> None:
    faces, division, method, test = run.faces, run.division, run.method, run.test
    weights = {name: value.contiguous().cpu() for name, value in method.state_dict().items()}
    (folder / "weights.safetensors").write_bytes(serialised(weights))
    if not method.classifies:
        return
    early = spec.examples(faces, division.early, "test", test.device)
    for name, part, examples in (("predictions", division.test, test), ("early", division.early, early)):
        predictions(method, faces, part, division.classes, examples).to_parquet(folder / f"{name}.parquet", index=False)
    features = [method(batch).feature.cpu() for batch in test.in_order()]
    np.save(folder / "features.npy", torch.cat(features).numpy())


def described(spec: RunSpec, run: Beginning, seconds: float) -> dict:
    """What a run's record says of it: what it was, saw and tested, by which code and on what."""
    faces, division, device = run.faces, run.division, run.test.device
    test = faces.table.loc[division.test.rows, "subject"]
    return {
        "spec": asdict(spec),
        "config": asdict(spec.config),
        "classes": list(division.classes),
        "data": {"name": faces.name, "source": faces.source, "credit": faces.credit, "fingerprint": faces.fingerprint},
        "folds": folds.fingerprint(faces.table),
        "test_subjects": sorted(test.unique()),
        "images": {"train": len(run.examples), "classified": run.examples.classified, "test": len(division.test)},
        "learned_from": run.learned_from,
        "source_digest": provenance.source_digest(spec.paper),
        "commit": provenance.commit(),
        "versions": provenance.versions(),
        "processor": provenance.processor(),
        "device": device if device == "cpu" else torch.cuda.get_device_name(device),
        "seconds": round(seconds, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
