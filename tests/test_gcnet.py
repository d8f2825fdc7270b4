"""GCNet's own wiring: what is compared with what, with which weight, and the paper's values."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from factories import STAGES, gcnet, random_batch, small_examples, small_faces

from fercore.faces.faceset import FaceSetError
from fercore.method import Batch
from fercore.papers.gcnet import NEEDS_REFERENCE, PRETRAINING, TIERS, VARIANTS, Config, Outputs

EVERYTHING = VARIANTS["S1R1"]


@pytest.fixture
def net():
    """S1R1, in evaluation mode after some training, so that batch normalisation has seen images."""
    net = gcnet(EVERYTHING, margin=2.0)
    for seed in range(3):
        net.step(random_batch(seed))
    return net.eval()


@pytest.fixture
def batch():
    return random_batch(5)


def double(batch: Batch) -> Batch:
    return replace(batch, image=batch.image.double(), reference=batch.reference.double())


def squares(a, b) -> float:
    difference = (a - b).detach().double().numpy()
    return 0.5 * float((difference**2).sum()) / len(difference)


def test_outputs_are_the_arrows_of_figure_3(net, batch):
    out = Outputs(net, batch)
    generated = net.De1(*net.En1(batch.image))
    code, switches = net.En2(batch.image)
    reference_code, reference_switches = net.En2(generated)
    expected = {
        "generated": generated,
        "code": code,
        "reference_code": reference_code,
        "feature": net.hidden((code - reference_code).abs()),  # Eq. 2
        "reconstructed_input": net.De2i(code, switches),
        "reconstructed_reference": net.De2r(reference_code, reference_switches),
    }
    for name, value in expected.items():
        torch.testing.assert_close(getattr(out, name), value, rtol=1e-4, atol=1e-5, msg=name)
        assert value.abs().sum() > 0, name


def test_each_reconstruction_term_has_its_own_target(net, batch):
    out = Outputs(net, batch)
    expected = {
        "generate_reference": squares(batch.reference, out.generated),
        "reconstruct_reference": squares(batch.reference, out.reconstructed_reference),
        "reconstruct_input": squares(batch.image, out.reconstructed_input),
        "autoencode": squares(batch.image, out.generated),
    }
    assert len(set(expected.values())) == 4
    for term, value in expected.items():
        assert getattr(net, term)(batch, out).item() == pytest.approx(value, rel=1e-5), term


@pytest.mark.parametrize("distance", ["l2", "rms"])
def test_contrastive_term_by_hand(net, batch, distance):
    net.config = replace(net.config, distance=distance)
    out = Outputs(net, batch)
    codes, others = (c.detach().double().flatten(1).numpy() for c in (out.code, out.reference_code))
    total = 0.0
    for n, (code, other) in enumerate(zip(codes, others, strict=True)):
        S = np.sqrt(((code - other) ** 2).sum() / (code.size if distance == "rms" else 1))
        same_expression = n == 1  # as in ``random_batch``
        total += S**2 / 2 if same_expression else max(0, net.config.margin - S) ** 2 / 2
    assert net.contrastive(batch, out).item() == pytest.approx(total / len(codes), rel=1e-5)


def test_gradient_is_that_of_equation_3_with_its_weights():
    weights = {"lambda_S": 0.7, "lambda_R": 0.3, "lambda_Gr": 1.1, "lambda_Rr": 0.6, "lambda_Ri": 0.4}
    net, batch = gcnet(EVERYTHING, dropout=0.0, **weights).double(), double(random_batch())
    out = net(batch)
    reconstruction = (
        1.1 * net.generate_reference(batch, out) + 0.6 * net.reconstruct_reference(batch, out)
        + 0.4 * net.reconstruct_input(batch, out)
    )  # fmt: skip
    total = net.classify(batch, out) + 0.7 * net.contrastive(batch, out) + 0.3 * reconstruction
    expected = torch.autograd.grad(total, list(net.parameters()))
    net.step(batch)
    for (name, parameter), gradient in zip(net.named_parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-9, msg=name)


RATES = {  # field of the configuration -> whose learning rate it multiplies
    "decoder_rate": lambda name: name.startswith("De") and ".2.norm." not in name,
    "output_rate": lambda name: name.startswith("De") and ".2.norm." in name,
}


@pytest.mark.parametrize("field", RATES)
@pytest.mark.parametrize("factor", [0, 2])
def test_decoders_and_their_output_learn_at_rates_of_their_own(field, factor):
    settings = dict.fromkeys(RATES, 1) | {"dropout": 0.0}
    plain, changed = gcnet(EVERYTHING, **settings).double(), gcnet(EVERYTHING, **settings | {field: factor}).double()
    start = {name: p.detach().clone() for name, p in plain.named_parameters()}
    plain.step(double(random_batch())), changed.step(double(random_batch()))
    for (name, one), other in zip(plain.named_parameters(), changed.parameters(), strict=True):
        expected = (factor if RATES[field](name) else 1) * (one - start[name])
        torch.testing.assert_close(other - start[name], expected, rtol=1e-6, atol=1e-12, msg=name)


def scores(net, image, reference=None):
    return net.eval().predict(Batch(image, reference=reference))


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_the_metric_cnn_looks_at_the_given_reference(variant, batch):
    net = gcnet(VARIANTS[variant])
    with_true, with_other = scores(net, batch.image, batch.reference), scores(net, batch.image, 1 - batch.reference)
    assert torch.equal(with_true, with_other) == (variant != "metricCNN")
    if variant != "metricCNN":
        assert torch.equal(with_true, scores(net, batch.image))
    torch.testing.assert_close(with_true.sum(1), torch.ones(6))


def test_metric_cnn_sees_nothing_where_the_image_is_its_own_reference():
    image = random_batch().image
    p = scores(gcnet(VARIANTS["metricCNN"]), image, image)
    assert torch.equal(p, p[:1].expand_as(p))


def test_metric_cnn_refuses_to_look_without_a_reference():
    with pytest.raises(ValueError, match="reference"):
        scores(gcnet(VARIANTS["metricCNN"]), random_batch().image)


def test_generator_learns_from_the_later_stages_too():
    """Sec. 4.4: the generated reference is affected by reconstruction and contrastive metric learning."""
    for term in ("classify", "contrastive", "reconstruct_reference"):
        net, batch = gcnet(EVERYTHING, dropout=0.0), random_batch()
        loss = getattr(net, term)(batch, net(batch))
        gradients = torch.autograd.grad(loss, list(net.En1.parameters()))
        assert all((g != 0).any() for g in gradients), term


def test_training_batch_is_normalised_together_with_its_reference():
    """Both flows of Fig. 3 share En2 and its statistics: an image compared with itself differs by nothing."""
    net, batch = gcnet(VARIANTS["metricCNN"]).train(), random_batch()
    out = net(Batch(batch.image, batch.label, batch.image, batch.is_reference))
    torch.testing.assert_close(out.code, out.reference_code)


@pytest.mark.parametrize("terms", [STAGES[name] for name in STAGES], ids=STAGES)
def test_data_without_references_are_refused_where_a_term_needs_them(terms):
    faces = small_faces(subjects=2)
    complete = small_examples(faces)
    faces.table.loc[3, "reference"] = -1
    lacking = small_examples(faces)
    net = gcnet(terms)
    net.check(complete)
    if terms & NEEDS_REFERENCE:
        with pytest.raises(FaceSetError, match="reference"):
            net.check(lacking)
    else:
        net.check(lacking)


@pytest.mark.parametrize("term", sorted(set().union(*STAGES.values())))
def test_terms_that_use_the_reference_are_those_that_say_so(term):
    net, batch = gcnet(frozenset({term})), replace(random_batch(), reference=None)
    if term in NEEDS_REFERENCE:
        with pytest.raises((AttributeError, TypeError, ValueError)):
            net.step(batch)
    else:
        net.step(batch)


def test_pretraining_stages_provide_what_they_train():
    for stage in PRETRAINING.values():
        net = gcnet(stage.terms)
        net.step(random_batch())
        for network in stage.provides:
            assert all(p.grad is not None for p in net.get_submodule(network).parameters())


@pytest.mark.parametrize(
    ("field", "printed"),
    {
        "image_size": 64, "widths": (32, 64, 96), "dropout": 0.5, "lambda_S": 1, "lambda_Gr": 1, "lambda_Rr": 0.25,
        "lambda_Ri": 0.25, "batch_size": 64, "iterations": 300_000, "base_rate": 0.001, "momentum": 0.9,
        "weight_decay": 1e-4, "decoder_rate": 10, "feature_size": 384, "code_shape": (96, 8, 8), "power": 0.75,
        "stored_size": 66, "last_rate": 1,
    }.items(),
)  # fmt: skip
def test_paper_tier_has_the_printed_values(field, printed):
    assert getattr(TIERS["paper"], field) == printed
    assert TIERS["paper"] == Config()


@pytest.mark.parametrize(("last", "factor"), [(1.0, 1.0), (0.0, 0.5), (0.2, 0.6)])
def test_the_last_rate_is_a_factor_on_the_printed_schedule(last, factor):
    """Half a cosine has come half its way in the middle of the training."""
    net = gcnet(VARIANTS["CNN"], base_rate=0.02, gamma=0.5, power=2.0, last_rate=last, iterations=2)
    net.step(random_batch()), net.step(random_batch())
    (optimiser,) = net.optimisers.values()
    rates = [group["lr"] / group["multiplier"] for group in optimiser.param_groups]
    assert rates == pytest.approx([factor * 0.02 / (1 + 0.5) ** 2] * len(rates))


@pytest.mark.parametrize("widths", [(4, 8), (4, 8, 12, 16)])
def test_more_or_fewer_layers_than_table_1_are_refused(widths):
    with pytest.raises(ValueError, match=rf"^widths .* has {len(widths)} values; valid: 3$"):
        Config(widths=widths)


def test_crops_are_taken_from_images_of_the_configured_ratio():
    assert replace(Config(), image_size=32).stored_size == 33
    assert replace(Config(), image_size=32, stored_ratio=1.25).stored_size == 40


def test_schedule_of_the_networks_is_the_configured_one():
    net = gcnet(VARIANTS["CNN"], base_rate=0.02, gamma=0.5, power=2.0)
    net.step(random_batch()), net.step(random_batch())
    (optimiser,) = net.optimisers.values()
    for group in optimiser.param_groups:
        assert group["lr"] == pytest.approx(group["multiplier"] * 0.02 / (1 + 0.5) ** 2)
        assert (group["momentum"], group["nesterov"], group["weight_decay"]) == (0.9, True, 1e-4)
