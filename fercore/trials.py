"""Trials: what else a trained run is tested on, such as one kind of occlusion or the images of another database.

A trial is tested when it is first asked for and kept beside the run's own predictions.
"""

from dataclasses import dataclass

import pandas as pd
import torch

from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import PROTOCOLS, classified
from fercore.faces.sources import open_faces
from fercore.predictions import predictions
from fercore.runs import Run, RunError
from fercore.storage import digest, one_at_a_time, whole_file


@dataclass(frozen=True)
class Trial:
    """Images and what covers them; which occluder an image gets depends on nothing but the trial and the image."""

    name: str
    protocol: str = ""  # another database's, all of whose classified images are tested; "" the run's own test side
    occlusions: tuple[str, ...] = ()  # one kind is drawn for each image; () leaves them as they are

    def predictions(self, run: Run, device: str = "cpu") -> pd.DataFrame:
        """One row per image, with the fold; raises RunError where the classes differ, FaceSetError without the data."""
        file = run.spec.folder / f"trial-{self.name}-{self._cause(run)}.parquet"
        with one_at_a_time(run.spec.folder.with_name(f".{run.spec.folder.name}.lock")):
            if not file.is_file():
                with whole_file(file) as aside:
                    self._test(run, device).to_parquet(aside, index=False)
        return pd.read_parquet(file).assign(fold=run.spec.fold)

    def credit(self, run: Run) -> str:
        """The data that it tests ``run`` on."""
        return self._faces(run).credit

    @torch.no_grad()
    def _test(self, run: Run, device: str) -> pd.DataFrame:
        config, faces = run.spec.config, self._faces(run)
        if self.protocol:
            classes, part = classified(faces, PROTOCOLS[self.protocol])
            if list(classes) != run.about["classes"]:
                raise RunError(f"{run.spec} knows the classes {run.about['classes']}, not those of {self.protocol}")
        else:
            classes, part = tuple(run.about["classes"]), run.division().test
        cover = Cover(self.occlusions, self.name) if self.occlusions else None
        examples = Examples(faces, part, config.image_size, device, config.channels, cover)
        return predictions(run.method().to(device), faces, part, classes, examples)

    def _faces(self, run: Run) -> FaceSet:
        if not self.protocol:
            return run.faces()
        config, dataset = run.spec.config, PROTOCOLS[self.protocol].dataset
        return open_faces(dataset, run.spec.source, config.stored_size, config.twin_subjects, config.channels == 3)

    def _cause(self, run: Run) -> str:
        fingerprint = self._faces(run).fingerprint if self.protocol else run.about["data"]["fingerprint"]
        return digest(repr(self).encode(), fingerprint.encode())[:8]
