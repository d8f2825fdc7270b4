"""Papermill's default engine for notebooks of this project: it checks first and writes last.

Papermill loads this module itself (entry point ``papermill.engine``); nothing else should import it. A notebook is one
of ours when its metadata has the key ``fercore``; every other notebook passes through unchanged.
"""

from pathlib import Path

import click
from papermill.engines import NBClientEngine, papermill_engines

from fercore import parameters


class CheckedEngine(NBClientEngine):
    """Papermill's own engine, with the parameters checked before a kernel starts and one write, at the end."""

    @classmethod
    def execute_notebook(cls, nb, kernel_name, output_path=None, **settings):
        """Refuse what cannot run, in one line; papermill then writes the notebook once, when it has ended."""
        if "fercore" not in nb.metadata:
            return super().execute_notebook(nb, kernel_name, output_path=output_path, **settings)
        try:
            parameters.check_notebook(nb, nb.metadata.papermill.get("parameters", {}))
        except parameters.ParameterError as problem:
            raise click.UsageError(str(problem)) from None
        if output_path and "://" not in output_path and not Path(output_path).absolute().parent.is_dir():
            raise click.UsageError(f"the folder of {output_path} does not exist")
        settings.setdefault("extra_arguments", ["--IPKernelApp.log_level=50"])  # cells speak, the kernel does not
        return super().execute_notebook(nb, kernel_name, output_path=None, **settings)


papermill_engines.register(None, CheckedEngine)
