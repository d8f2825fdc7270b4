# The single description of the work: pre-training -> folds -> pages -> index. `make reproduce` calls it.
from shlex import quote

from fercore import parameters, paths, progress
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

progress.follow(logger, workflow.cores)

PAPER, TIER = config["paper"], config["tier"]
SOURCE = config.get("source", "prepared" if TIER == "paper" else "twin")
for name, value, valid in (
    ("PAPER", PAPER, parameters.papers()), ("TIER", TIER, parameters.TIERS), ("SOURCE", SOURCE, parameters.SOURCES)
):
    if value not in valid:
        raise WorkflowError(f"{name}={value} is unknown; valid: {', '.join(valid)}")
FOLDS = {"smoke": [0], "twin": [0], "paper": list(range(10))}[TIER]
CHOICE = f"-p tier {TIER} -p source {SOURCE}"
OVER_FOLDS, ONE_FOLD = f"{CHOICE} -p folds '{FOLDS}'", f"{CHOICE} -p fold 0"

# paper -> what is trained, and what each page needs of it (a protocol's folds, "stages") and is given
STAGES = {  # shared by all folds: stage -> those before it
    "gcnet": {"reconstruction": [], "identification": []},
    "idferm": {"identity": [], "HNG_vggface": ["identity"], "HNG": ["HNG_vggface"], "judge": []},
}.get(PAPER, {})
MEASURING = {"judge"}  # stages that no fold learns from
LEFT_OUT = {"smoke": [0], "twin": [0, 7, 14], "paper": list(range(22))}[TIER]  # of MAHNOB's people
TRAINED = {  # protocol -> dataset, folds, changes of the configuration
    "gcnet": {
        "ckplus7": ("ckplus", FOLDS, ""), "ckplus8": ("ckplus", FOLDS, ""), "mmi6": ("mmi", FOLDS, ""),
        "oulu6": ("oulu", FOLDS, ""),
    },
    "occluded": {
        "rafdb7+affectnet7": ("rafdb+affectnet", [0], ""), "affectnet7": ("affectnet", [0], ""),
        "rafdb7": ("rafdb", [0], ""),
        "ckplus636": ("ckplus", FOLDS, '{"occlusions": ["R8", "R16", "R24", "eyes", "mouth"]}'),
    },
    "unpaired": {
        "laughter_posed": ("mahnob", LEFT_OUT, ""), "laughter_speech": ("mahnob", LEFT_OUT, ""),
        "mmse4": ("mmse", FOLDS, ""), "ckplus7": ("ckplus", FOLDS, ""), "oulu6": ("oulu", FOLDS, ""),
        "mmi6": ("mmi", FOLDS, ""),
    },
    "idferm": {
        "ckplus7": ("ckplus", FOLDS, ""), "mmi6sequences": ("mmi", FOLDS, ""), "ckplus8": ("ckplus", FOLDS, ""),
        "oulu6": ("oulu", FOLDS, ""),
    },
}[PAPER]
OVER_BOTH = f"{OVER_FOLDS} -p left_out '{LEFT_OUT}'"
UNPAIRED = "ResNet L_v+L_h L_v+L_l L_v+L_h+L_l L_a+L_h+L_l Ours"
PAIRED = ["laughter_posed", "laughter_speech", "mmse4"]  # protocols with pairs of modalities, for two rows more
EVERY = ["softmax triplet N+1 CCL centre", "2B(N+M) augmented IDFERM"]
ROWS = {  # rows of every protocol, or of those named: jobs of about equal length
    "gcnet": {"every": ["CNN S0R0 S1R0 S0R1 S1R1"]},
    "occluded": {"every": ["ResNet sim LIR sim+LIR adv rec adv+rec Ours", "PG-CNN gACNN"]},
    "unpaired": {"every": [UNPAIRED]} | dict.fromkeys(PAIRED, [UNPAIRED, "Wang Pan"]),
    "idferm": {"ckplus7": EVERY, "mmi6sequences": EVERY, "every": ["softmax 2B(N+M)", "IDFERM"]},
}[PAPER]


def rows_of(protocol):
    """Groups of rows, one job each."""
    return ROWS.get(protocol, ROWS["every"])


PAGE = {
    "gcnet": {
        "0_start_here": (["ckplus7"], CHOICE),
        "pretraining": (["stages"], CHOICE),
        "table1_architecture": ([], ""),  # always the paper's widths: they are what Table 1 prints
        "table2_ckplus7": (["ckplus7"], OVER_FOLDS),
        "table3_ckplus8": (["ckplus8"], OVER_FOLDS),
        "table4_mmi": (["mmi6"], OVER_FOLDS),
        "table5_oulu": (["oulu6"], OVER_FOLDS),
        "figure4_small_expressions": (["ckplus7"], OVER_FOLDS),
        "figure5_tsne": (["ckplus7"], ONE_FOLD),
        "figure6_filters": (["ckplus7"], ONE_FOLD),
        "figure7_generation": (["ckplus7"], OVER_FOLDS),
        "run_fold": (["ckplus7"], ONE_FOLD),
        "folds_summary": (["ckplus7"], CHOICE),
    },
    "occluded": {
        "loss_weights": ([], CHOICE),
        "table1_synthesized": (["rafdb7", "affectnet7"], CHOICE),
        "table2_ckplus_occlusions": (["ckplus636"], OVER_FOLDS),
        "table3_fedro": (["rafdb7+affectnet7"], CHOICE),
        "table4_speed": ([], f"-p tier {'smoke' if TIER == 'smoke' else 'paper'}"),  # the paper's networks
        "figure2_occlusions": ([], f"-p source {SOURCE}"),
        "figure3_confusion_fedro": (["rafdb7+affectnet7"], CHOICE),
        "figure4_reconstructions": (["rafdb7"], CHOICE),
        "teacher_precondition": (["rafdb7", "affectnet7", "rafdb7+affectnet7", "ckplus636"], OVER_FOLDS),
        "run_fold": (["rafdb7"], ONE_FOLD),
        "folds_summary": (["rafdb7"], CHOICE),
    },
    "unpaired": {
        "loss_weights": ([], CHOICE),
        "table1_mahnob_mmse": (["laughter_posed", "laughter_speech", "mmse4"], OVER_BOTH),
        "table2_visible_databases": (["ckplus7", "oulu6", "mmi6"], OVER_FOLDS),
        "figure2_alignment": (["laughter_posed", "mmse4"], OVER_BOTH),
        "figure3_reconstructions": (["mmse4"], OVER_FOLDS),
        "thermal_at_test": (["laughter_posed", "laughter_speech", "mmse4"], OVER_BOTH),
        "choices": (["laughter_posed"], f"{CHOICE} -p left_out '{LEFT_OUT}'"),
        "run_fold": (["mmse4"], ONE_FOLD),
        "folds_summary": (["mmse4"], CHOICE),
    },
    "idferm": {
        "table1_identity_errors": (["stages"], CHOICE),
        "table2_training_time": (["stages"], CHOICE),
        "table3_ckplus7_mmi": (["ckplus7", "mmi6sequences"], OVER_FOLDS),
        "table4_ckplus8": (["ckplus8"], OVER_FOLDS),
        "table5_pretraining": (["ckplus7", "mmi6sequences"], OVER_FOLDS),
        "table6_oulu": (["oulu6"], OVER_FOLDS),
        "figure3_failing_losses": ([], ""),
        "figure5_normalised_faces": (["stages"], CHOICE),
        "figure9_ablation_of_generator": (["stages"], CHOICE),
        "figure10_identity_distances": (["stages"], CHOICE),
        "figure11_lambda": (["stages"], OVER_FOLDS),
        "figure12_slope": (["stages"], OVER_FOLDS),
        "figure13_confusions": (["ckplus7", "ckplus8", "mmi6sequences", "oulu6"], OVER_FOLDS),
        "disentanglement": (["ckplus7"], CHOICE),
        "choices": (["stages"], OVER_FOLDS),
        "run_fold": (["ckplus7"], ONE_FOLD),
        "folds_summary": (["ckplus7"], CHOICE),
    },
}[PAPER]



def folder_of(paper):
    """Below which a paper's pages and finished work stand: another tier or source stands apart."""
    return paper if (TIER, SOURCE) == ("twin", "twin") else f"{paper}-{TIER}-{SOURCE}"


PAGES = paths.results() / "notebooks" / folder_of(PAPER)
DONE = paths.results() / "workflow" / folder_of(PAPER)
RENDER = "python -m fercore.pages {input.page:q} {output:q}"
INDEX = "python -m fercore.pages --index {params.folder:q}"
QUIETLY = " > {log:q} 2>&1"  # a job's own output; shown when it fails


def source_of(page):
    """The notebook itself: the paper's own, or one for all."""
    own = paths.notebooks() / PAPER / f"{page}.ipynb"
    return own if own.is_file() else paths.notebooks() / f"{page}.ipynb"


def needs(page):
    """The finished work that a page shows."""
    done = []
    for what in PAGE[page][0]:
        if what == "stages":
            done += expand(DONE / "{stage}.done", stage=STAGES)
        else:
            rows = range(len(rows_of(what)))
            done += expand(DONE / "{p}-fold{fold}-rows{rows}.done", p=what, fold=TRAINED[what][1], rows=rows)
    return done


localrules: reproduce, folds, london, twins, verdict


# names its pages itself: an index left by another target must not pass for them
EVERY_PAGE = expand(PAGES / "{page}.ipynb", page=PAGE)


rule reproduce:
    input: EVERY_PAGE, DONE / "index.done"


rule pretraining:
    input: lambda wildcards: expand(DONE / "{stage}.done", stage=STAGES[wildcards.stage])
    output: touch(DONE / "{stage}.done")
    wildcard_constraints: stage="|".join(STAGES) or "none"
    benchmark: DONE / "{stage}.benchmark"
    log: DONE / "{stage}.log"
    shell: f"python -m fercore.train {PAPER} ckplus --tier {TIER} --source {SOURCE} --pretraining {{wildcards.stage}}" + QUIETLY


rule fold:
    input: expand(DONE / "{stage}.done", stage=[stage for stage in STAGES if stage not in MEASURING])
    output: touch(DONE / "{protocol}-fold{fold}-rows{rows}.done")
    wildcard_constraints: protocol=r"[a-z0-9_+]+", fold=r"\d+", rows=r"\d"
    params:
        dataset=lambda wildcards: TRAINED[wildcards.protocol][0],
        changes=lambda wildcards: " ".join(f"--changes {quote(c)}" for c in [TRAINED[wildcards.protocol][2]] if c),
        rows=lambda wildcards: " ".join(map(quote, rows_of(wildcards.protocol)[int(wildcards.rows)].split())),
    priority: 1  # long: first
    benchmark: DONE / "{protocol}-fold{fold}-rows{rows}.benchmark"
    log: DONE / "{protocol}-fold{fold}-rows{rows}.log"
    shell:
        f"python -m fercore.train {PAPER} {{params.dataset}} --protocol {{wildcards.protocol}} --fold {{wildcards.fold}}"
        f" --variants {{params.rows}} --tier {TIER} --source {SOURCE} {{params.changes}}" + QUIETLY


rule page:
    input:
        lambda wildcards: needs(wildcards.page),
        page=lambda wildcards: source_of(wildcards.page),
    output: PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(PAGE)
    params: choice=lambda wildcards: PAGE[wildcards.page][1]
    priority: 1 if PAPER != "gcnet" else 0  # pages of the others train as well
    benchmark: DONE / "{page}.benchmark"
    log: DONE / "{page}.log"
    shell: RENDER + " {params.choice}" + QUIETLY


rule index:
    input: EVERY_PAGE
    output: touch(DONE / "index.done")
    params: folder=PAGES.parent
    shell: INDEX


# every fold of one row, each as a page of its own: make folds DATASET= VARIANT= SOURCE=
ROW = f"{config.get('dataset')}-{config.get('variant')}-{SOURCE}"
ROW_CHOICE = f"{CHOICE} -p dataset {config.get('dataset')} -p variant {quote(str(config.get('variant')))}"


rule folds:
    input: PAGES / "folds" / f"{ROW}-summary.ipynb"
    params: folder=PAGES.parent
    shell: INDEX


rule fold_page:
    input: page=paths.notebooks() / PAPER / "run_fold.ipynb"
    output: PAGES / "folds" / f"{ROW}-fold{{fold}}.ipynb"
    wildcard_constraints: fold=r"\d+"
    log: DONE / f"{ROW}-fold{{fold}}.log"
    shell: RENDER + f" {ROW_CHOICE} -p fold {{wildcards.fold}}" + QUIETLY


def row_folds():
    """As many as the protocol has; an official division is one."""
    from fercore.faces.protocols import protocol_of

    protocol = protocol_of(config["dataset"], paper=PAPER)
    return [0] if protocol.official else list(range(protocol.folds))


rule row_page:
    input:
        lambda wildcards: expand(PAGES / "folds" / f"{ROW}-fold{{fold}}.ipynb", fold=row_folds()),
        page=paths.notebooks() / PAPER / "folds_summary.ipynb",
    output: PAGES / "folds" / f"{ROW}-summary.ipynb"
    params: folds=lambda wildcards: str(row_folds())
    log: DONE / f"{ROW}-summary.log"
    shell: RENDER + f" {ROW_CHOICE} -p folds '{{params.folds}}'" + QUIETLY


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


# claims, statistics, forensics, over the runs of all papers that are there: make verdict
VERDICT_PAGES = PAGES.parent / ("verdict" if TIER == "twin" else f"verdict-{TIER}")
OVER_RUNS = f"-p tier {TIER}" + (" -p source prepared" if TIER == "paper" else "")
SHORTEST = """-p left_out '[0]' -p shorter '{"gcnet": {"pretraining": ""}, "idferm": {"pretraining": ""}}'"""
VERDICT = {  # page -> notebook, choice
    "overview": ("verdict/overview", OVER_RUNS),
    **{f"claims_{paper}": ("verdict/claims", f"-p paper {paper} {OVER_RUNS}") for paper in parameters.papers()},
    "protocol_forensics": ("verdict/protocol_forensics", ""),
    "leakage_price": ("verdict/leakage_price", OVER_RUNS + " -p folds '[0]'" * (TIER == "smoke")),
    "ambiguities": ("verdict/ambiguities", OVER_RUNS + f" {SHORTEST}" * (TIER == "smoke")),
    "explore_runs": ("explore_runs", OVER_RUNS),
    "try_your_own_photo": ("try_your_own_photo", f"-p tier {TIER}"),
}


def reproduced(_):
    """What tells that a paper's runs are there, on drawn and on real faces: the pages are made anew after it."""
    folders = [folder_of(paper) for paper in parameters.papers()]
    done = [DONE.with_name(folder) / "index.done" for folder in folders]
    done += [PAGES.with_name(folder) / "real_faces_london.ipynb" for folder in folders]
    return [one for one in done if one.is_file()]


rule verdict:
    input: expand(VERDICT_PAGES / "{page}.ipynb", page=VERDICT)
    params: folder=PAGES.parent
    shell: INDEX


rule verdict_page:
    input: reproduced, page=lambda wildcards: paths.notebooks() / f"{VERDICT[wildcards.page][0]}.ipynb"
    output: VERDICT_PAGES / "{page}.ipynb"
    wildcard_constraints: page="|".join(VERDICT)
    params: choice=lambda wildcards: VERDICT[wildcards.page][1]
    log: DONE.with_name(VERDICT_PAGES.name) / "{page}.log"
    shell: RENDER + " {params.choice}" + QUIETLY
