# The single description of the work: pre-training -> folds -> pages -> index. `make reproduce` calls it.
from fercore import paths, progress
from snakemake.logging import logger

progress.follow(logger, workflow.cores)

PAPER, TIER = config["paper"], config["tier"]
SOURCE = config.get("source", "prepared" if TIER == "paper" else "twin")
FOLDS = {"smoke": [0], "twin": [0], "paper": list(range(10))}[TIER]
PROTOCOLS = {"ckplus7": "ckplus", "ckplus8": "ckplus", "mmi6": "mmi", "oulu6": "oulu"}
STAGES = ["reconstruction", "identification"]
ROWS = "CNN S0R0 S1R0 S0R1 S1R1"
TABLES = {"table2_ckplus7": "ckplus7", "table3_ckplus8": "ckplus8", "table4_mmi": "mmi6", "table5_oulu": "oulu6"}
FIGURES = ["figure4_small_expressions", "figure7_generation"]  # over folds; the others show one
ONE_FOLD = ["figure5_tsne", "figure6_filters", "run_fold"]

TIER_FOLDER = PAPER if (TIER, SOURCE) == ("twin", "twin") else f"{PAPER}-{TIER}-{SOURCE}"
PAGES = paths.results() / "notebooks" / TIER_FOLDER
DONE = paths.results() / "workflow" / TIER_FOLDER
RENDER = "python -m fercore.pages {input.page:q} {output:q}"
INDEX = "python -m fercore.pages --index {params.folder:q}"
CHOICE = f"-p tier {TIER} -p source {SOURCE}"
QUIETLY = " > {log:q} 2>&1"  # a job's own output; shown when it fails


def folds_of(protocol):
    return expand(DONE / f"{protocol}-fold{{fold}}.done", fold=FOLDS)


localrules: reproduce, folds, london, twins


# names its pages itself: an index left by another target must not pass for them
EVERY_PAGE = expand(PAGES / "{page}.ipynb", page=[
    "0_start_here", "pretraining", "table1_architecture", *TABLES, *FIGURES, *ONE_FOLD, "folds_summary",
])


rule reproduce:
    input: EVERY_PAGE, DONE / "index.done"


rule pretraining:
    output: touch(DONE / "{stage}.done")
    wildcard_constraints: stage="|".join(STAGES)
    benchmark: DONE / "{stage}.benchmark"
    log: DONE / "{stage}.log"
    shell: f"python -m fercore.train {PAPER} ckplus --tier {TIER} --source {SOURCE} --pretraining {{wildcards.stage}}" + QUIETLY


rule fold:
    input: expand(DONE / "{stage}.done", stage=STAGES)
    output: touch(DONE / "{protocol}-fold{fold}.done")
    wildcard_constraints: protocol="|".join(PROTOCOLS), fold=r"\d"
    params: dataset=lambda wildcards: PROTOCOLS[wildcards.protocol]
    benchmark: DONE / "{protocol}-fold{fold}.benchmark"
    log: DONE / "{protocol}-fold{fold}.log"
    shell:
        f"python -m fercore.train {PAPER} {{params.dataset}} --protocol {{wildcards.protocol}} --fold {{wildcards.fold}}"
        f" --variants {ROWS} --tier {TIER} --source {SOURCE}" + QUIETLY


rule table_page:
    input:
        lambda wildcards: folds_of(TABLES[wildcards.page]),
        page=paths.notebooks() / PAPER / "{page}.ipynb",
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(TABLES)
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + f" {CHOICE} -p folds '{FOLDS}'" + QUIETLY


rule figure_page:
    input:
        folds_of("ckplus7"),
        page=paths.notebooks() / PAPER / "{page}.ipynb",
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(FIGURES)
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + f" {CHOICE} -p folds '{FOLDS}'" + QUIETLY


rule one_fold_page:
    input:
        DONE / "ckplus7-fold0.done",
        page=paths.notebooks() / PAPER / "{page}.ipynb",
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(ONE_FOLD)
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + f" {CHOICE} -p fold 0" + QUIETLY


rule pretraining_page:
    input:
        expand(DONE / "{stage}.done", stage=STAGES),
        page=paths.notebooks() / PAPER / "{page}.ipynb",
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="pretraining"
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + f" {CHOICE}" + QUIETLY


rule architecture_page:
    input: page=paths.notebooks() / PAPER / "{page}.ipynb"
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="table1_architecture"
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + QUIETLY  # always the paper's widths: they are what Table 1 prints


rule start_page:
    input:
        DONE / "ckplus7-fold0.done",
        page=paths.notebooks() / "0_start_here.ipynb",
    output: PAGES / "0_start_here.ipynb"
    benchmark: DONE / "0_start_here.benchmark"
    log: DONE / "0_start_here.log"
    shell: RENDER + f" {CHOICE}" + QUIETLY


rule summary_page:
    input:
        DONE / "ckplus7-fold0.done",
        page=paths.notebooks() / PAPER / "folds_summary.ipynb",
    output: PAGES / "folds_summary.ipynb"
    benchmark: DONE / "folds_summary.benchmark"
    log: DONE / "folds_summary.log"
    shell: RENDER + f" {CHOICE}" + QUIETLY


rule index:
    input: EVERY_PAGE
    output: touch(DONE / "index.done")
    params: folder=PAGES.parent
    shell: INDEX


# every fold of one row, each as a page of its own: make folds DATASET= VARIANT= SOURCE=
ROW = f"{config.get('dataset')}-{config.get('variant')}-{SOURCE}"
ROW_CHOICE = f"{CHOICE} -p dataset {config.get('dataset')} -p variant {config.get('variant')}"


rule folds:
    input: PAGES / "folds" / f"{ROW}-summary.ipynb"
    params: folder=PAGES.parent
    shell: INDEX


rule fold_page:
    input: page=paths.notebooks() / PAPER / "run_fold.ipynb"
    output: PAGES / "folds" / f"{ROW}-fold{{fold}}.ipynb"
    wildcard_constraints: fold=r"\d"
    log: DONE / f"{ROW}-fold{{fold}}.log"
    shell: RENDER + f" {ROW_CHOICE} -p fold {{wildcards.fold}}" + QUIETLY


rule row_page:
    input:
        expand(PAGES / "folds" / f"{ROW}-fold{{fold}}.ipynb", fold=range(10)),
        page=paths.notebooks() / PAPER / "folds_summary.ipynb",
    output: PAGES / "folds" / f"{ROW}-summary.ipynb"
    log: DONE / f"{ROW}-summary.log"
    shell: RENDER + f" {ROW_CHOICE}" + QUIETLY


# real faces: make london
LONDON_CHOICE = f"-p tier {TIER}" + (" -p folds '[0, 1]' -p changes '{{}}'" if TIER == "smoke" else "")


rule london:
    input: PAGES / "real_faces_london.ipynb"
    params: folder=PAGES.parent
    shell: INDEX


rule london_page:
    input: page=paths.notebooks() / PAPER / "{page}.ipynb"
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="real_faces_london"
    log: DONE / "{page}.log"
    shell: RENDER + f" {LONDON_CHOICE}" + QUIETLY


# the drawn faces, measured and to play with: make twins
TWIN_PAGES = PAGES.parent / ("twins" if TIER == "twin" else f"twins-{TIER}")
TWIN_CHOICE = {"twin_quality": f" -p tier {TIER}", "explore_synthetic_faces": ""}


rule twins:
    input: expand(TWIN_PAGES / "{page}.ipynb", page=TWIN_CHOICE)
    params: folder=PAGES.parent
    shell: INDEX


rule twin_page:
    input: page=paths.notebooks() / "{page}.ipynb"
    output: TWIN_PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(TWIN_CHOICE)
    params: choice=lambda wildcards: TWIN_CHOICE[wildcards.page]
    log: DONE / "{page}.log"
    shell: RENDER + "{params.choice}" + QUIETLY
