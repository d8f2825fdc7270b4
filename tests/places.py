"""Where a test keeps data and results."""


def set_places(patch, folder):
    """Data and results in ``folder``, until ``patch`` is undone."""
    patch.setenv("FERCORE_DATA", str(folder / "data"))
    patch.setenv("FERCORE_RESULTS", str(folder / "results"))
