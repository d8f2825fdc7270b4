"""Occluded's own wiring: what is compared with what, with which weight, who moves when, and what is refused."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from factories import FOUR, OCCLUDED_STAGES, TINY_OCCLUDED, covered_batch, occluded, same_bits, snapshot

from fercore.method import Batch
from fercore.papers.occluded import METHOD, NEEDS_PAIRS, PRETRAINING, TIERS, VARIANTS, Config, Occluded

OURS = VARIANTS["Ours"]
PAIRED = [name for name, terms in OCCLUDED_STAGES.items() if terms & NEEDS_PAIRS]


@pytest.fixture
def net():
    """Ours, in evaluation mode after some training, so that batch normalisation has seen images."""
    net = occluded(OURS)
    for seed in range(3):
        net.step(covered_batch(seed))
    return net.eval()


@pytest.fixture
def batch():
    return covered_batch(5)


def double(batch: Batch) -> Batch:
    return replace(batch, image=batch.image.double(), privileged=batch.privileged.double())


def test_outputs_are_the_arrows_of_figure_1(net, batch):
    out = net(batch)
    h_o, h_c = net.student.tap(batch.image), net.teacher.tap(batch.privileged)
    expected = {
        "h": h_o,
        "logits": net.student(batch.image),
        "clean_map": h_c,
        "clean_scores": net.teacher(batch.privileged),
        "judged": net.discriminator(h_o),
        "reconstruction": net.decoder(h_o),
        "feature": net.student.pooled(h_o),
    }
    for name, value in expected.items():
        torch.testing.assert_close(getattr(out, name), value, rtol=1e-4, atol=1e-5, msg=name)
        assert value.abs().sum() > 0, name


def test_terms_by_hand(net, batch):
    def softmax(scores):
        e = np.exp(scores.detach().double().numpy())
        return e / e.sum(1, keepdims=True)

    known = batch.label.numpy() >= 0
    y = batch.label.numpy()[known]
    p_o, p_c = softmax(net.student(batch.image)), softmax(net.teacher(batch.privileged))
    loss_o, loss_c = (-np.log(p[known][np.arange(len(y)), y]) for p in (p_o, p_c))
    h_o, h_c = net.student.tap(batch.image), net.teacher.tap(batch.privileged)
    D_o, D_c = (net.discriminator(h).double().sigmoid().detach().numpy() for h in (h_o, h_c))
    difference = (net.decoder(h_o) - batch.privileged).detach().double().numpy()
    expected = {
        "sup": loss_o.mean(),
        "sup_clean": loss_c.mean(),
        "sim": ((p_o - p_c) ** 2).sum(1).mean(),
        "LIR": np.maximum(loss_c - loss_o, 0).mean(),
        "adv": -np.log(D_o).mean(),
        "rec": (difference**2).mean(),
        "discriminate": -np.log(D_c).mean() - np.log(1 - D_o).mean(),
    }
    assert len(set(expected.values())) == 7 and expected["LIR"] > 0
    for term, value in expected.items():
        assert getattr(net, term)(batch, net(batch)).item() == pytest.approx(value, rel=1e-4), term
    net.config = replace(net.config, LIR="flipped")
    assert net.LIR(batch, net(batch)).item() == pytest.approx(np.maximum(loss_o - loss_c, 0).mean(), rel=1e-4)


def test_gradient_is_that_of_equation_8_with_its_weights():
    net, batch = (
        occluded(OURS, lambda_1=0.7, lambda_2=0.3, lambda_3=1.1, lambda_4=0.6).double(),
        double(covered_batch()),
    )
    out = net(batch)
    student = [*net.student.parameters(), *net.decoder.parameters()]
    total = net.sup(batch, out) + 0.7 * net.sim(batch, out) + 0.3 * net.LIR(batch, out) + 1.1 * net.adv(batch, out)
    expected = torch.autograd.grad(total + 0.6 * net.rec(batch, out), student, retain_graph=True)
    critic = torch.autograd.grad(net.discriminate(batch, out), list(net.discriminator.parameters()))
    net.step(batch)
    for parameter, gradient in zip([*student, *net.discriminator.parameters()], [*expected, *critic], strict=True):
        assert (gradient != 0).any()
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-9)


def calls_of(net, monkeypatch) -> list[tuple[str, bool]]:
    """From now on, which network was asked for its feature map and whether autograd listened."""
    calls = []
    for name in {"student", "teacher"} & dict(net.named_children()).keys():
        network, ordinary = net.get_submodule(name), net.get_submodule(name).tap

        def tap(image, name=name, ordinary=ordinary):
            h = ordinary(image)
            calls.append((name, h.requires_grad))
            return h

        monkeypatch.setattr(network, "tap", tap)
    return calls


@pytest.mark.parametrize(("variant", "expected"), {
    "Ours": [("student", True), ("teacher", False)], "adv": [("student", True), ("teacher", False)],
    "sim": [("student", True), ("teacher", False)], "rec": [("student", True)], "clean": [("teacher", True)],
}.items())  # fmt: skip
def test_a_step_asks_each_network_once_and_a_frozen_teacher_without_autograd(variant, expected, monkeypatch):
    net = occluded(OCCLUDED_STAGES[variant])
    calls = calls_of(net, monkeypatch)
    net.step(covered_batch())
    assert sorted(calls) == expected


def test_a_row_without_teacher_has_none_and_no_other_network():
    for variant, there in {
        "ResNet": {"student"}, "occluded": {"student"}, "clean": {"teacher"}, "rec": {"student", "decoder"},
        "sim": {"student", "teacher"}, "adv": {"student", "teacher", "discriminator"},
        "PG-CNN": {"recogniser"}, "gACNN": {"recogniser"},
        "Ours": {"student", "teacher", "discriminator", "decoder"},
    }.items():  # fmt: skip
        assert dict(occluded(OCCLUDED_STAGES[variant]).named_children()).keys() == there, variant


@pytest.mark.parametrize("variant", ["ResNet", "Ours"])
def test_the_test_sees_the_covered_image_and_nothing_else(variant, batch):
    net = occluded(VARIANTS[variant]).eval()
    assert torch.equal(net.predict(batch), net.predict(Batch(batch.image)))
    assert not torch.equal(net.predict(batch), net.predict(Batch(batch.privileged)))


def test_the_teachers_own_run_tests_the_teacher_on_whatever_image_it_is_shown(batch):
    net = occluded(OCCLUDED_STAGES["clean"])
    net.step(batch)
    seen = net.eval().predict(batch)
    torch.testing.assert_close(seen, net.teacher(batch.image).softmax(1).detach())


@pytest.mark.parametrize(("K1", "K2", "critic", "student"), [
    (1, 1, [1, 1, 1, 1], [1, 1, 1, 1]),
    (2, 1, [1, 1, 1, 1], [0, 1, 0, 1]),
    (1, 2, [1, 0, 1, 0], [1, 1, 1, 1]),
    (3, 2, [1, 1, 1, 1], [0, 1, 1, 0]),
    (1, 3, [1, 0, 0, 1], [1, 1, 1, 1]),
])  # fmt: skip
def test_the_critic_moves_k1_times_then_the_student_k2_times(K1, K2, critic, student):
    net, moved, told = occluded(OURS, K1=K1, K2=K2), [], []
    for seed in range(4):
        before = {name: [p.clone() for p in network.parameters()] for name, network in net.named_children()}
        told.append(net.step(covered_batch(seed)).keys())
        after = {name: list(network.parameters()) for name, network in net.named_children()}
        moved.append({n for n in before if not all(map(torch.equal, before[n], after[n]))})
    for name, turns in {"discriminator": critic, "student": student, "decoder": student}.items():
        assert [name in names for names in moved] == list(map(bool, turns)), name
    for term, turns in {"discriminate": critic, "rec": student, "sup": student}.items():
        assert [term in terms for terms in told] == list(map(bool, turns)), term


def test_turns_of_a_row_without_critic():
    """A cycle that leaves iterations to a critic who is not there leaves them empty."""
    net = occluded(VARIANTS["ResNet"], K1=2)
    assert [set(net.step(covered_batch(seed))) for seed in range(4)] == [set(), {"sup"}] * 2


def test_the_adversarial_term_makes_covered_features_pass_for_clean_ones_while_the_critic_stands_still():
    batch, game = covered_batch(), VARIANTS["adv"] - {"sup"}
    learnt = occluded(game, base_rate=0.0, discriminator_rate=0.02)
    while learnt.step(batch)["discriminate"] > 0.3 and learnt.iteration < 200:
        pass
    fixed = occluded(frozenset({"adv"}), lambda_3=1.0, base_rate=1e-3)
    fixed.discriminator.load_state_dict(learnt.discriminator.state_dict())
    judge, values = snapshot(fixed.discriminator), [fixed.step(batch)["adv"].item() for _ in range(15)]
    assert values[0] > 1 and values[-1] < values[0] / 2  # -log D(h_o): the critic had seen through them
    assert same_bits(judge, snapshot(fixed.discriminator))


def test_rates_follow_the_configured_lines():
    net = occluded(OURS, base_rate=0.02, last_rate=0.1, iterations=4, decoder_rate=5.0, discriminator_rate=0.5)
    for seed in range(3):
        net.step(covered_batch(seed))
    share = 1 - 0.9 * 2 / 4  # the last step was iteration 2
    rates = {name: [g["lr"] for g in o.param_groups] for name, o in net.optimisers.items()}
    assert rates["student"] == pytest.approx([0.02 * share, 5 * 0.02 * share])
    assert rates["discriminator"] == pytest.approx([0.5 * share])
    betas = {name: o.param_groups[0]["betas"] for name, o in net.optimisers.items()}
    assert betas["student"] == (0.9, 0.999) and betas["discriminator"] == (0.5, 0.999)


@pytest.mark.parametrize("variant", OCCLUDED_STAGES)
def test_terms_that_need_pairs_refuse_unpaired_batches_while_training(variant):
    net, batch = occluded(OCCLUDED_STAGES[variant]), replace(covered_batch(), paired=False)
    if variant in PAIRED:
        needing = sorted(OCCLUDED_STAGES[variant] & NEEDS_PAIRS)
        with pytest.raises(ValueError, match=f"{', '.join(map(repr, needing))}.*own clean image: give paired batches"):
            net.step(batch)
        assert net.iteration == 0
    else:
        net.step(batch)
    net.eval().predict(batch)


def test_pairs_are_needed_by_lir_and_rec_only():
    assert set(PAIRED) == {"LIR", "sim+LIR", "rec", "adv+rec", "Ours"}
    occluded(VARIANTS["LIR"], lambda_2=0).step(replace(covered_batch(), paired=False))  # a term of weight 0 is none


@pytest.mark.parametrize("variant", ["sim", "LIR"])
def test_a_teacher_of_other_classes_is_refused(variant):
    net = occluded(VARIANTS[variant])
    net.teacher.fc = torch.nn.Linear(net.teacher.fc.in_features, 7)
    with pytest.raises(ValueError, match=r"\(6, 4\) and \(6, 7\)"):
        net.step(covered_batch())


@pytest.mark.parametrize("size", [0, 8, 15, 20, 47, 100])
@pytest.mark.parametrize("variant", ["ResNet", "Ours", "clean"])
def test_image_sizes_that_the_decoder_cannot_make_are_refused(size, variant):
    with pytest.raises(ValueError, match=f"image_size {size}: .*multiple of 8, at least 16"):
        occluded(OCCLUDED_STAGES[variant], image_size=size)


@pytest.mark.parametrize("size", [16, 24, 48, 88])
def test_reconstructions_have_the_size_of_the_image(size):
    net = occluded(OURS, image_size=size)
    batch = covered_batch(size=size, images=3)
    assert net(batch).reconstruction.shape == batch.privileged.shape
    assert net(batch).h.shape[-1] == size // 8


@pytest.mark.parametrize(("change", "message"), [
    ({"LIR": "hinge"}, "LIR 'hinge' is unknown; valid: printed, flipped"),
    ({"weights": "vgg"}, "weights 'vgg' is unknown; valid: imagenet, random"),
    ({"block": "foo"}, "^block 'foo' is unknown; valid: basic, bottleneck$"),
    ({"depth": (3,)}, r"^depth \[3\] has 1 values; valid: 4$"),
    ({"occlusions": ()}, "^occlusions is empty: .*name one or more, such as 'eyes'$"),
    ({"K1": 0}, "K1 0, K2 1: both players must move"), ({"K2": -1}, "K1 1, K2 -1: both"),
], ids=str)  # fmt: skip
def test_values_of_the_configuration_that_mean_nothing_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(Config(), **change)


def test_an_unknown_term_is_refused():
    with pytest.raises(ValueError, match=r"unknown terms \['perceptual'\].*'LIR'"):
        occluded(OURS | {"perceptual"})


@pytest.mark.parametrize(("field", "printed"), {
    "image_size": 224, "block": "bottleneck", "depth": (3, 4, 6, 3), "width": 64, "weights": "imagenet",
    "occlusions": ("food", "hands", "drinks"), "base_rate": 2e-5, "discriminator_rate": 1e-4, "LIR": "printed",
}.items())  # fmt: skip
def test_paper_tier_has_the_printed_values(field, printed):
    assert getattr(TIERS["paper"], field) == printed and TIERS["paper"] == Config()


def test_image_sizes_are_those_of_section_5_1():
    sizes = {p: Config().on(p).image_size for p in ("rafdb7", "affectnet7", "ckplus636", "rafdb7+affectnet7")}
    assert list(sizes.values()) == [88, 224, 48, 224]
    assert replace(Config().on("rafdb7"), image_size=64).image_size == 64
    assert TIERS["twin"].on("rafdb7").image_size == 48


def test_the_paper_tier_asks_for_published_weights_of_both_networks_and_others_for_none(monkeypatch):
    asked = []
    monkeypatch.setattr("fercore.networks.resnet.TappedResNet.load_published", lambda net: asked.append(net))
    for variant in ("ResNet", "clean", "Ours"):
        net = occluded(OCCLUDED_STAGES[variant], weights="imagenet")
        net.initialise()
        assert asked == [net.teacher if variant == "clean" else net.student], variant  # a frozen one is pre-trained
        asked.clear()
    occluded(OURS).initialise()
    assert asked == []


def test_a_stage_has_its_own_length_and_rate_and_does_not_know_the_weights_of_terms():
    one, other = (
        replace(TINY_OCCLUDED, lambda_1=x, lambda_4=x, K1=3, LIR="flipped", pretraining="own") for x in (1, 2)
    )
    stages = [replace(config, **config.pretrained_by("occluded")) for config in (one, other)]
    assert stages[0] == stages[1] and stages[0].pretraining == ""
    assert stages[0].iterations == TINY_OCCLUDED.pretraining_iterations
    assert stages[0].base_rate == TINY_OCCLUDED.pretraining_rate
    learns = {"image_size", "width", "batch_size", "last_rate", "occlusions", "scale", "twin_subjects", "weights"}
    assert {f.name for f in fields(Config)} >= learns and not learns & TINY_OCCLUDED.pretrained_by("clean").keys()


def test_stages_provide_what_the_method_starts_from():
    assert {name: stage.provides for name, stage in PRETRAINING.items()} == {
        "occluded": ("student",), "clean": ("teacher",)
    }  # fmt: skip
    for stage in PRETRAINING.values():
        net = occluded(stage.terms)
        net.step(covered_batch())
        for name in stage.provides:
            assert net.moves(name)
            occluded(OURS).get_submodule(name).load_state_dict(net.get_submodule(name).state_dict())


def test_only_this_papers_rows_are_of_its_own_class():
    for variant, terms in VARIANTS.items():
        assert (type(METHOD(TINY_OCCLUDED, FOUR, terms)) is Occluded) == (variant not in ("PG-CNN", "gACNN"))
