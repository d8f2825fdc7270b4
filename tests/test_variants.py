"""What holds for every variant and pre-training stage of every paper, on tiny networks."""

import io
import math

import pytest
import torch
from factories import PAPERS, same_bits, snapshot

RECOGNISER = {"En2", "hidden", "classifier"}
GENERATOR = {"En1", "De1"}
RADIAL = {"trunk", "head", "classifier", "H"}
WORKING = {
    "gcnet": {
        "CNN": RECOGNISER,
        "metricCNN": RECOGNISER,
        "S0R0": RECOGNISER | GENERATOR,
        "S1R0": RECOGNISER | GENERATOR,
        "S0R1": RECOGNISER | GENERATOR | {"De2r", "De2i"},
        "S1R1": RECOGNISER | GENERATOR | {"De2r", "De2i"},
        "reconstruction": GENERATOR,
        "identification": RECOGNISER,
    },
    "occluded": {
        "ResNet": {"student"},
        "sim": {"student"},
        "LIR": {"student"},
        "sim+LIR": {"student"},
        "adv": {"student", "discriminator"},
        "rec": {"student", "decoder"},
        "adv+rec": {"student", "discriminator", "decoder"},
        "Ours": {"student", "discriminator", "decoder"},
        "PG-CNN": {"recogniser"},
        "gACNN": {"recogniser"},
        "occluded": {"student"},
        "clean": {"teacher"},
    },
    "unpaired": {
        "ResNet": {"visible"},
        "L_v+L_h": {"visible", "D_h"},
        "L_v+L_l": {"visible", "D_l"},
        "L_v+L_h+L_l": {"visible", "D_h", "D_l"},
        "L_a+L_h+L_l": {"visible", "D_h", "D_l"},
        "Ours": {"visible", "D_h", "D_l", "decoder"},
        "Wang": {"visible", "thermal"},
        "Pan": {"visible", "thermal", "D_h"},
        "visible": {"visible"},
        "thermal": {"thermal"},
    },
    "idferm": dict.fromkeys(("softmax", "triplet", "N+1", "CCL", "centre"), RADIAL - {"H"})
    | dict.fromkeys(("2B(N+M)", "augmented", "IDFERM"), RADIAL)
    | dict.fromkeys(("identity", "judge"), {"stand_in", "who"})
    | dict.fromkeys(("HNG_vggface", "HNG"), {"Enc", "Dec", "Dis"}),
}
TERMS = {
    "gcnet": {
        "CNN": {"classify"},
        "metricCNN": {"classify", "contrastive"},
        "S0R0": {"classify", "generate_reference"},
        "S1R0": {"classify", "generate_reference", "contrastive"},
        "S0R1": {"classify", "generate_reference", "reconstruct_reference", "reconstruct_input"},
        "S1R1": {"classify", "generate_reference", "contrastive", "reconstruct_reference", "reconstruct_input"},
        "reconstruction": {"autoencode"},
        "identification": {"classify"},
    },
    "occluded": {
        "ResNet": {"sup"},
        "sim": {"sup", "sim"},
        "LIR": {"sup", "LIR"},
        "sim+LIR": {"sup", "sim", "LIR"},
        "adv": {"sup", "adv", "discriminate"},
        "rec": {"sup", "rec"},
        "adv+rec": {"sup", "adv", "discriminate", "rec"},
        "Ours": {"sup", "sim", "LIR", "adv", "discriminate", "rec"},
        "PG-CNN": {"patches"},
        "gACNN": {"patches_and_face"},
        "occluded": {"sup"},
        "clean": {"sup_clean"},
    },
    "unpaired": {
        "ResNet": {"L_v"},
        "L_v+L_h": {"L_v", "L_h", "discriminate_h"},
        "L_v+L_l": {"L_v", "L_l", "discriminate_l"},
        "L_v+L_h+L_l": {"L_v", "L_h", "discriminate_h", "L_l", "discriminate_l"},
        "L_a+L_h+L_l": {"L_a", "L_h", "discriminate_h", "L_l", "discriminate_l"},
        "Ours": {"L_a", "L_h", "discriminate_h", "L_l", "discriminate_l", "L_r"},
        "Wang": {"L_v", "L_t", "similar"},
        "Pan": {"L_v", "L_t", "similar", "L_h", "discriminate_h"},
        "visible": {"L_v"},
        "thermal": {"L_t"},
    },
    "idferm": {
        "softmax": {"softmax"},
        "triplet": {"softmax", "triplet"},
        "N+1": {"softmax", "n_pair"},
        "CCL": {"softmax", "coupled_clusters"},
        "centre": {"softmax", "centre"},
        "2B(N+M)": {"softmax", "clusters"},
        "augmented": {"softmax", "clusters_generated"},
        "IDFERM": {"softmax", "RML"},
        "identity": {"identify"},
        "judge": {"identify"},
        "HNG_vggface": {"feat", "id", "pixel", "sym", "GAN", "discriminate"},
        "HNG": {"feat", "id", "pixel", "sym", "GAN", "discriminate"},
    },
}
FROZEN = {  # networks that are asked and do not move
    "gcnet": {},
    "occluded": dict.fromkeys(("sim", "LIR", "sim+LIR", "adv", "adv+rec", "Ours"), {"teacher"}),
    "unpaired": dict.fromkeys(("L_v+L_h", "L_v+L_l", "L_v+L_h+L_l", "L_a+L_h+L_l", "Ours"), {"thermal"}),
    "idferm": dict.fromkeys(("HNG_vggface", "HNG"), {"stand_in"}),
}
WEIGHT_OF = {
    "gcnet": {"contrastive": "lambda_S", "reconstruct_reference": "lambda_Rr", "reconstruct_input": "lambda_Ri"},
    "occluded": {"sim": "lambda_1", "LIR": "lambda_2", "adv": "lambda_3", "rec": "lambda_4"},
    "unpaired": {"L_h": "lambda_1", "L_l": "lambda_2", "L_r": "lambda_3", "similar": "lambda_similar"},
    "idferm": {"feat": "w_feat", "id": "w1", "pixel": "w2", "sym": "w3", "GAN": "w4"} | dict.fromkeys(
        ("triplet", "n_pair", "coupled_clusters", "centre", "clusters", "clusters_generated", "RML"), "lambda_RML"
    ),
}
every_variant = pytest.mark.parametrize(
    ("paper", "variant"), [(name, variant) for name, paper in PAPERS.items() for variant in paper.stages]
)


def made(paper, variant, **changes):
    return PAPERS[paper].make(PAPERS[paper].stages[variant], **changes)


def two_steps(method, paper):
    torch.manual_seed(3)  # dropout
    return [method.step(PAPERS[paper].batch(seed)) for seed in (0, 1)]


def test_the_tables_of_this_test_name_every_variant():
    for name, paper in PAPERS.items():
        assert WORKING[name].keys() == TERMS[name].keys() == paper.stages.keys()


@every_variant
def test_terms_are_the_expected_ones_and_finite(paper, variant):
    for values in two_steps(made(paper, variant), paper):
        assert values.keys() == TERMS[paper][variant]
        assert all(math.isfinite(v) and v.shape == () and not v.requires_grad for v in values.values())


@every_variant
def test_only_the_working_networks_move_buffers_included(paper, variant):
    method = made(paper, variant)
    before = {name: snapshot(network) for name, network in method.named_children()}
    two_steps(method, paper)
    moved = {name for name, network in method.named_children() if not same_bits(before[name], snapshot(network))}
    assert moved == WORKING[paper][variant]
    assert moved <= {name for name in before if method.moves(name)}


@every_variant
def test_working_networks_are_in_training_mode_and_frozen_ones_never(paper, variant):
    method, frozen = made(paper, variant), FROZEN[paper].get(variant, set())
    for mode in (False, True):
        assert method.train(mode).training == mode
        for name in WORKING[paper][variant] | frozen:
            modes = {module.training for module in method.get_submodule(name).modules()}
            assert modes == {mode and name not in frozen}, name


@every_variant
def test_every_parameter_of_the_working_networks_receives_a_gradient_and_no_other(paper, variant):
    method = made(paper, variant, **{"dropout": 0.0} if paper == "gcnet" else {})
    torch.manual_seed(3)
    method.step(PAPERS[paper].batch(0))
    for name, parameter in method.named_parameters():
        if name.split(".")[0] not in WORKING[paper][variant]:
            assert parameter.grad is None, name
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert name in silent_biases(method) or (parameter.grad != 0).any(), name


def silent_biases(method) -> set[str]:
    """Biases that the batch normalisation behind them takes out again."""
    silent = {name for name, _ in method.named_parameters() if name.endswith(".convolution.bias")}
    for parent, module in method.named_modules():
        children = list(module.named_children())
        for (name, layer), (_, following) in zip(children, children[1:], strict=False):
            if isinstance(layer, torch.nn.Conv2d) and isinstance(following, torch.nn.BatchNorm2d):
                silent.add(f"{parent}.{name}.bias")
    return silent


@every_variant
def test_two_steps_with_one_seed_are_identical(paper, variant):
    first, second = made(paper, variant), made(paper, variant)
    for one, other in zip(two_steps(first, paper), two_steps(second, paper), strict=True):
        assert same_bits(one, other)
    assert same_bits(first.progress(), second.progress())


@every_variant
def test_resumed_progress_continues_with_the_same_bits(paper, variant):
    method, later = made(paper, variant), made(paper, variant, seed=5)
    two_steps(method, paper)
    torch.save(method.progress(), buffer := io.BytesIO())
    buffer.seek(0)
    later.resume(torch.load(buffer, weights_only=True))
    for one, other in zip(two_steps(method, paper), two_steps(later, paper), strict=True):
        assert same_bits(one, other)
    assert same_bits(method.progress(), later.progress()) and later.iteration == 4


@pytest.mark.parametrize(("paper", "variant", "term"), [
    (name, variant, term) for name, paper in PAPERS.items() for variant, terms in paper.stages.items()
    for term in WEIGHT_OF[name] if term in terms
])  # fmt: skip
def test_a_weight_of_zero_is_a_term_removed_bit_for_bit(paper, variant, term):
    silent = made(paper, variant, **{WEIGHT_OF[paper][term]: 0})
    absent = PAPERS[paper].make(PAPERS[paper].stages[variant] - {term})
    for one, other in zip(two_steps(silent, paper), two_steps(absent, paper), strict=True):
        assert same_bits(one, other)
    for name, network in absent.named_children():  # the silent one may have more, which nobody asks
        assert same_bits(snapshot(network), snapshot(silent.get_submodule(name))), name


@every_variant
def test_a_frozen_network_stays_as_it_is_and_can_still_be_asked(paper, variant):
    method = made(paper, variant)
    still = {name for name, _ in method.named_children()} - WORKING[paper][variant]
    assert FROZEN[paper].get(variant, set()) <= still
    two_steps(method, paper)
    for name in FROZEN[paper].get(variant, ()):
        network = method.get_submodule(name)
        assert all(p.grad is None for p in network.parameters())
        norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert norms and all(norm.num_batches_tracked == 0 and not norm.training for norm in norms)


@every_variant
def test_probabilities_are_of_each_image_alone(paper, variant):
    method = made(paper, variant)
    if not method.classifies:
        return
    two_steps(method, paper)
    batch = PAPERS[paper].batch(7)
    whole = method.eval().predict(batch)
    assert whole.shape == (6, 4) and not whole.requires_grad
    torch.testing.assert_close(whole.sum(1), torch.ones(6))
    fields = {name: value[2:3] for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}
    torch.testing.assert_close(method.predict(type(batch)(**fields)), whole[2:3], rtol=1e-4, atol=1e-6)
