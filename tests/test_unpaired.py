"""Unpaired's own wiring: what is compared with what, with which weight, who moves, and what is refused."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from factories import TINY_UNPAIRED, UNPAIRED_STAGES, beside_batch, same_bits, snapshot, unpaired

from fercore.faces.protocols import PROTOCOLS, SEVEN, SIX
from fercore.losses.adversarial import discriminate
from fercore.method import Batch
from fercore.networks.discriminator import Discriminator, LabelDiscriminator
from fercore.papers.unpaired import METHOD, PRETRAINING, PRINTED, TIERS, VARIANTS, Config

OURS = VARIANTS["Ours"]
MMSE = PROTOCOLS["mmse4"].classes
PAIRED = ("Wang", "Pan")
LITERAL = {"adversarial": "eq3_literal"}


@pytest.fixture
def net():
    """Ours, in evaluation mode after some training, so that batch normalisation has seen images."""
    net = unpaired(OURS)
    for seed in range(3):
        net.step(beside_batch(seed))
    return net.eval()


@pytest.fixture
def batch():
    return beside_batch(5)


def double(batch: Batch) -> Batch:
    return replace(batch, image=batch.image.double(), privileged=batch.privileged.double())


def softmax(scores) -> np.ndarray:
    e = np.exp(scores.detach().double().numpy())
    return e / e.sum(1, keepdims=True)


def probability(logit) -> np.ndarray:
    return 1 / (1 + np.exp(-logit.detach().double().numpy()))


def entropy(p) -> np.ndarray:
    return -p * np.log(p) - (1 - p) * np.log(1 - p)


def gradient_of(net, term, batch) -> list[torch.Tensor]:
    """Of one term with respect to the visible network; zero where it does not reach it."""
    own = list(net.visible.parameters())
    loss = getattr(net, term)(batch, net(batch))
    return torch.autograd.grad(loss, own, allow_unused=True, materialize_grads=True)


def test_outputs_are_the_arrows_of_figure_1(net, batch):
    out = net(batch)
    a_v, a_t = net.visible.tap(batch.image), net.thermal.tap(batch.privileged)
    y_v, y_t = net.visible(batch.image), net.thermal(batch.privileged)
    expected = {
        "a_v": a_v,
        "a_t": a_t,
        "logits": y_v,
        "thermal_scores": y_t,
        "feature": net.visible.pooled(a_v),
        "judged": net.D_h(a_v),
        "judged_thermal": net.D_h(a_t),
        "judged_label": net.D_l(y_v.softmax(1)),
        "judged_thermal_label": net.D_l(y_t.softmax(1)),
        "reconstruction": net.decoder(a_v),
    }
    for name, value in expected.items():
        torch.testing.assert_close(getattr(out, name), value, rtol=1e-4, atol=1e-5, msg=name)
        assert value.abs().sum() > 0, name


def test_terms_are_equations_1_to_7(net, batch):
    known, labels = batch.label.numpy() >= 0, batch.label.numpy()
    a_v, a_t = net.visible.tap(batch.image), net.thermal.tap(batch.privileged)
    y_v, y_t = softmax(net.visible(batch.image)), softmax(net.thermal(batch.privileged))
    h_v, h_t = probability(net.D_h(a_v)), probability(net.D_h(a_t))
    l_v, l_t = (probability(net.D_l(torch.tensor(y).float())) for y in (y_v, y_t))
    w = 1 + (entropy(h_v) + entropy(l_v)) / 2
    each_v, each_t = (-np.log(y[known][np.arange(known.sum()), labels[known]]) for y in (y_v, y_t))
    difference = (batch.image - net.decoder(a_v)).detach().double().numpy()
    expected = {
        "discriminate_h": -np.log(h_v).mean() - np.log(1 - h_t).mean(),  # Eq. 1
        "discriminate_l": -np.log(l_v).mean() - np.log(1 - l_t).mean(),  # Eq. 2
        "L_h": -np.log(1 - h_v).mean(),
        "L_l": -np.log(1 - l_v).mean(),
        "L_r": (difference**2).mean(),  # Eq. 5
        "L_a": (w[known] * each_v).mean(),  # Eq. 6, 7
        "L_v": each_v.mean(),
        "L_t": each_t.mean(),
        "similar": ((y_v - y_t) ** 2).sum(1).mean(),
    }
    assert len({round(value, 5) for value in expected.values()}) == 9
    for term, value in expected.items():
        assert getattr(net, term)(batch, net(batch)).item() == pytest.approx(value, rel=1e-4), term
    net.config = replace(net.config, adversarial="eq3_literal", attention="constant")
    literal = {"L_h": -np.log(h_t).mean(), "L_l": -np.log(l_t).mean()}  # Eq. 3, 4
    for term, value in (literal | {"L_a": w.mean() * each_v.mean()}).items():
        assert getattr(net, term)(batch, net(batch)).item() == pytest.approx(value, rel=1e-4), term


@pytest.mark.parametrize("arm", [{}, LITERAL, {"attention": "constant"}], ids=str)
def test_gradients_are_those_of_equation_8_with_its_weights_and_of_the_critics(arm):
    net, batch = unpaired(OURS, lambda_1=0.7, lambda_2=0.3, lambda_3=1.1, **arm).double(), double(beside_batch())
    out = net(batch)
    own = [*net.visible.parameters(), *net.decoder.parameters()]
    total = net.L_a(batch, out) + 0.7 * net.L_h(batch, out) + 0.3 * net.L_l(batch, out) + 1.1 * net.L_r(batch, out)
    expected = [*torch.autograd.grad(total, own, retain_graph=True)]
    for critic in ("h", "l"):
        theirs = list(net.get_submodule(f"D_{critic}").parameters())
        loss = getattr(net, f"discriminate_{critic}")(batch, out)
        own, expected = own + theirs, [*expected, *torch.autograd.grad(loss, theirs, retain_graph=True)]
    net.step(batch)
    for parameter, gradient in zip(own, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-9)


def test_no_gradient_passes_through_the_weights(batch):
    """That of Eq. 7 is that of a cross-entropy whose weights are numbers."""
    net = unpaired(OURS)
    out = net(batch)
    w = 1 + (entropy(probability(out.judged)) + entropy(probability(out.judged_label))) / 2
    known = batch.label >= 0
    each = torch.nn.functional.cross_entropy(out.logits[known], batch.label[known], reduction="none")
    own = list(net.parameters())
    options = dict(allow_unused=True, materialize_grads=True, retain_graph=True)
    expected = torch.autograd.grad((torch.tensor(w).float()[known] * each).mean(), own, **options)
    for found, value in zip(torch.autograd.grad(net.L_a(batch, out), own, **options), expected, strict=True):
        torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-6)
    assert max(w) - min(w) > 1e-7 and 1 < min(w) and max(w) < 1 + math.log(2)


def test_the_constant_attention_is_the_mean_weight_of_the_batch(batch):
    nets = {name: unpaired(OURS, attention=name) for name in ("entropy", "constant")}
    out = nets["entropy"](batch)
    w = 1 + (entropy(probability(out.judged)) + entropy(probability(out.judged_label))) / 2
    plain = nets["constant"].L_v(batch, out)
    assert nets["constant"].L_a(batch, out).item() == pytest.approx(w.mean() * plain.item(), rel=1e-5)
    assert nets["entropy"].L_a(batch, out) != nets["constant"].L_a(batch, out)


def test_a_step_as_printed_is_one_without_the_adversarial_terms_bit_for_bit():
    """Eq. 3, 4 hold no part of the visible network: of Eq. 8, L_a + lambda_3 L_r is left."""
    literal, without = unpaired(OURS, **LITERAL), unpaired(OURS - {"L_h", "L_l"})
    asked = unpaired(OURS)
    for seed in range(3):
        values = literal.step(beside_batch(seed))
        asked.step(beside_batch(seed)), without.step(beside_batch(seed))
        assert values["L_h"] > 0 and values["L_l"] > 0
    for name in ("visible", "decoder", "D_h", "D_l"):
        assert same_bits(snapshot(literal.get_submodule(name)), snapshot(without.get_submodule(name))), name
    assert not same_bits(snapshot(asked.visible), snapshot(without.visible))


@pytest.mark.parametrize("term", ["L_h", "L_l"])
def test_the_adversarial_terms_reach_the_visible_network_only_as_equation_1_and_2_ask(term, batch):
    assert all((g == 0).all() for g in gradient_of(unpaired(OURS, **LITERAL), term, batch))
    assert any((g != 0).any() for g in gradient_of(unpaired(OURS), term, batch))


@pytest.fixture(scope="module")
def critics():
    """Ours whose critics alone have learned to tell one batch's visible images from its thermal ones."""
    net = unpaired(frozenset({"discriminate_h", "discriminate_l"}), discriminator_rate=0.02, last_rate=1.0)
    while net.step(beside_batch(5))["discriminate_h"] > 0.3 and net.iteration < 200:
        pass
    return net


def test_critics_learn_to_call_visible_images_visible(critics, batch):
    out = critics(batch)
    assert not critics.moves("visible") and not critics.moves("thermal")
    assert (out.judged > 0).all() and (out.judged_thermal < 0).all()
    assert out.judged_label.mean() > 0 > out.judged_thermal_label.mean()


@pytest.mark.parametrize(("term", "name", "judged"), [("L_h", "D_h", "judged"), ("L_l", "D_l", "judged_label")])
def test_adversarial_terms_make_visible_images_pass_for_thermal_ones_while_the_critic_stands_still(
    term, name, judged, critics, batch
):
    net = unpaired(frozenset({term}), lambda_1=1.0, lambda_2=1.0, base_rate=1e-3)
    net.get_submodule(name).load_state_dict(critics.get_submodule(name).state_dict())
    critic, seen = snapshot(net.get_submodule(name)), []
    for _ in range(15):
        seen.append(getattr(net(batch), judged).mean().item())
        net.step(batch)
    assert seen[-1] < seen[0] - 0.1
    assert same_bits(critic, snapshot(net.get_submodule(name)))


def test_the_thermal_network_is_frozen_to_the_last_bit_but_of_compared_systems():
    for variant in ("Ours", "L_v+L_h", *PAIRED):
        net = unpaired(VARIANTS[variant])
        before = snapshot(net.thermal)
        for seed in range(4):
            net.step(beside_batch(seed))
        after = snapshot(net.thermal)
        assert same_bits(before, after) == (variant not in PAIRED), variant
        if variant in PAIRED:
            assert not any(torch.equal(before[name], after[name]) for name in before if "running" in name)


def calls_of(net, monkeypatch) -> list[tuple[str, bool]]:
    """From now on, which network was asked for its feature map and whether autograd listened."""
    calls = []
    for name in {"visible", "thermal"} & dict(net.named_children()).keys():
        network, ordinary = net.get_submodule(name), net.get_submodule(name).tap

        def tap(image, name=name, ordinary=ordinary):
            h = ordinary(image)
            calls.append((name, h.requires_grad))
            return h

        monkeypatch.setattr(network, "tap", tap)
    return calls


@pytest.mark.parametrize(("variant", "expected"), {
    "Ours": [("thermal", False), ("visible", True)], "L_v+L_l": [("thermal", False), ("visible", True)],
    "Wang": [("thermal", True), ("visible", True)], "Pan": [("thermal", True), ("visible", True)],
    "ResNet": [("visible", True)], "visible": [("visible", True)], "thermal": [("thermal", True)],
}.items())  # fmt: skip
def test_a_step_asks_each_network_once_and_a_frozen_one_without_autograd(variant, expected, monkeypatch):
    net = unpaired(UNPAIRED_STAGES[variant])
    calls = calls_of(net, monkeypatch)
    net.step(beside_batch())
    assert sorted(calls) == expected


def test_a_row_has_the_networks_it_needs_and_no_other():
    critics = {"L_v+L_h": {"D_h"}, "L_v+L_l": {"D_l"}, "L_v+L_h+L_l": {"D_h", "D_l"}, "L_a+L_h+L_l": {"D_h", "D_l"}}
    pair = {"visible", "thermal"}
    expected = {name: pair | own for name, own in critics.items()} | {
        "ResNet": {"visible"}, "visible": {"visible"}, "thermal": {"thermal"}, "Wang": pair, "Pan": pair | {"D_h"},
        "Ours": pair | {"D_h", "D_l", "decoder"},
    }  # fmt: skip
    assert {n: set(dict(unpaired(t).named_children())) for n, t in UNPAIRED_STAGES.items()} == expected


@pytest.mark.parametrize("variant", ["ResNet", "Ours", "Wang"])
def test_the_test_sees_the_visible_image_and_nothing_else(variant, batch):
    net = unpaired(VARIANTS[variant])
    net.step(batch)
    net.eval()
    assert torch.equal(net.predict(batch), net.predict(Batch(batch.image)))
    torch.testing.assert_close(net.predict(batch), net.visible(batch.image).softmax(1).detach())


def test_a_thermal_run_learns_and_tests_the_image_it_is_shown(batch):
    net = unpaired(UNPAIRED_STAGES["thermal"])
    alone = Batch(batch.image, batch.label)
    known = batch.label >= 0
    expected = torch.nn.functional.cross_entropy(net.thermal(batch.image)[known], batch.label[known])
    assert net.step(alone)["L_t"].item() == pytest.approx(expected.item(), rel=1e-5)
    torch.testing.assert_close(net.eval().predict(alone), net.thermal(batch.image).softmax(1).detach())
    assert torch.equal(net(alone).feature, net.thermal.pooled(net.thermal.tap(batch.image)))


@pytest.mark.parametrize("variant", UNPAIRED_STAGES)
def test_similar_alone_refuses_unpaired_batches_while_training(variant):
    net, batch = unpaired(UNPAIRED_STAGES[variant]), replace(beside_batch(), paired=False)
    if variant in PAIRED:
        with pytest.raises(ValueError, match="similar compares two images of one face: give paired batches"):
            net.step(batch)
        assert net.iteration == 0
    else:
        net.step(batch)
    net.eval().predict(batch)
    unpaired(VARIANTS["Wang"], lambda_similar=0).step(batch)  # a term of weight 0 is none


@pytest.mark.parametrize("kind", ["features", "labels"])
@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_critics_tell_two_shifted_gaussians_apart_and_not_two_equal_ones(kind, shift):
    torch.manual_seed(0)
    critic = Discriminator(16, 2) if kind == "features" else LabelDiscriminator(8)
    shape = (16, 2, 2) if kind == "features" else (8,)
    descent = torch.optim.Adam(critic.parameters(), lr=3e-3)
    for _ in range(80):
        descent.zero_grad()
        loss = discriminate(critic(torch.randn(64, *shape) + shift), critic(torch.randn(64, *shape)))
        loss.backward()
        descent.step()
    real, fake = (critic(torch.randn(1000, *shape) + by).detach() for by in (shift, 0.0))  # held out
    accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()).item() / 2
    assert accuracy > 0.9 if shift else abs(accuracy - 0.5) < 0.05


def test_a_label_discriminator_has_three_layers_and_judges_each_image_alone():
    critic = LabelDiscriminator(6)
    assert [tuple(p.shape) for p in critic.parameters() if p.ndim == 2] == [(64, 6), (64, 64), (1, 64)]
    p = torch.rand(5, 6).softmax(1)
    assert critic(p).shape == (5,) and torch.allclose(critic(p)[3], critic(p[3:4])[0], atol=1e-6)


def of_ckplus(terms, **changes):
    return unpaired(terms, classes=SEVEN, thermal="mmse4", **changes)


@pytest.mark.parametrize("classes", [SEVEN, SIX], ids=["CK+", "MMI, Oulu"])
def test_other_label_sets_are_judged_by_the_shared_classes(classes, batch):
    net = unpaired(OURS, classes=classes, thermal="mmse4").eval()
    assert net.visible.fc.out_features == len(classes) and net.thermal.fc.out_features == 4
    assert net.D_l.layers[0].in_features == 3
    y_v, y_t = softmax(net.visible(batch.image)), softmax(net.thermal(batch.privileged))
    for y, names, judged in ((y_v, classes, "judged_label"), (y_t, MMSE, "judged_thermal_label")):
        shared = [y[:, names.index(name)] for name in ("happiness", "surprise")]
        seen = np.stack([*shared, 1 - sum(shared)], axis=1)
        expected = net.D_l(torch.tensor(seen).float())
        torch.testing.assert_close(getattr(net(batch), judged), expected, rtol=1e-4, atol=1e-5)


def test_a_step_with_other_label_sets_moves_what_it_should():
    net = of_ckplus(OURS)
    before = {name: snapshot(network) for name, network in net.named_children()}
    values = net.step(replace(beside_batch(classes=7), paired=False))
    moved = {name for name, network in net.named_children() if not same_bits(before[name], snapshot(network))}
    assert values.keys() == OURS and moved == {"visible", "D_h", "D_l", "decoder"}


def test_label_sets_switched_off_drop_the_label_game_only_where_sets_differ(batch):
    off, same = of_ckplus(OURS, label_sets="off"), unpaired(OURS, label_sets="off")
    assert off.kept == OURS - {"L_l", "discriminate_l"} and same.kept == OURS
    assert not hasattr(off, "D_l") and hasattr(same, "D_l")
    assert unpaired(OURS, classes=MMSE[::-1], thermal="mmse4", label_sets="off").kept == OURS  # of another order
    out = off(batch)
    w = 1 + entropy(probability(out.judged)) / 2  # H(p_l) = 0
    known, each = batch.label >= 0, -np.log(softmax(out.logits))
    expected = [w[i] * each[i, batch.label[i]] for i in range(len(w)) if known[i]]
    assert off.L_a(batch, out).item() == pytest.approx(np.mean(expected), rel=1e-5)


def test_label_sets_with_nothing_in_common_are_refused_where_they_are_compared():
    laughs = {"classes": ("laughter", "speech"), "thermal": "mmse4"}
    with pytest.raises(ValueError, match="have none in common"):
        unpaired(OURS, **laughs)
    assert unpaired(VARIANTS["L_v+L_h"], **laughs).thermal.fc.out_features == 4
    assert unpaired(OURS, label_sets="off", **laughs).kept == OURS - {"L_l", "discriminate_l"}


@pytest.mark.parametrize(("field", "valid"), {
    "block": "basic, bottleneck", "weights": "imagenet, random", "partition": "subject, image, none",
    "label_sets": "shared, off", "adversarial": "eq1, eq3_literal", "attention": "entropy, constant",
    "thermal": "own, laughter_posed, laughter_speech, mmse4",
}.items())  # fmt: skip
def test_values_of_the_configuration_that_mean_nothing_are_refused_with_the_valid_ones(field, valid):
    with pytest.raises(ValueError, match=f"^{field} 'frame' is unknown; valid: {valid}$"):
        Config(**{field: "frame"})
    for value in valid.split(", "):
        assert getattr(Config(**{field: value}), field) == value


@pytest.mark.parametrize("depth", [(3,), (1, 1, 1, 1, 1)])
def test_a_network_of_more_or_fewer_stages_is_refused(depth):
    with pytest.raises(ValueError, match=f"^depth .* has {len(depth)} values; valid: 4$"):
        Config(depth=depth)


@pytest.mark.parametrize("m", [0, -3])
def test_a_number_of_images_that_trains_nothing_is_refused(m):
    with pytest.raises(ValueError, match=f"^m {m}: at least one image"):
        Config(m=m)


@pytest.mark.parametrize("size", [0, 8, 15, 20, 100])
@pytest.mark.parametrize("variant", ["ResNet", "Ours", "thermal"])
def test_image_sizes_that_the_decoder_cannot_make_are_refused(size, variant):
    with pytest.raises(ValueError, match=f"image_size {size}: .*multiple of 8, at least 16"):
        unpaired(UNPAIRED_STAGES[variant], image_size=size)


def test_an_unknown_term_is_refused():
    with pytest.raises(ValueError, match=r"unknown terms \['LIR'\].*'L_a'"):
        unpaired(OURS | {"LIR"})


@pytest.mark.parametrize(("variant", "protocol"), [
    ("Ours", "ckplus7"), ("Ours", "oulu6"), ("Ours", "mmse4"), ("Ours", "laughter_speech"), ("Pan", "mmse4"),
])  # fmt: skip
def test_the_paper_tier_has_the_papers_shapes(variant, protocol):
    classes, config = PROTOCOLS[protocol].classes, TIERS["paper"].on(protocol)
    with torch.device("meta"):  # sizes without numbers
        net = METHOD(config, classes, VARIANTS[variant]).eval()
        out = net(Batch(torch.zeros(2, 3, 224, 224), privileged=torch.zeros(2, 3, 224, 224)))
        assert out.a_v.shape == out.a_t.shape == (2, 128, 28, 28)
        assert out.feature.shape == (2, 512) and out.logits.shape == (2, len(classes))
        assert out.thermal_scores.shape == (2, 4 if config.thermal == "mmse4" else len(classes))
        assert out.judged.shape == out.judged_thermal.shape == (2,)
        if variant == "Ours":
            assert out.judged_label.shape == out.judged_thermal_label.shape == (2,)
            assert out.reconstruction.shape == (2, 3, 224, 224)
            assert [layer.stride for layer in net.D_h.layers if hasattr(layer, "stride")] == [(2, 2)] * 4 + [(1, 1)]
    blocks = [len(net.visible.get_submodule(f"layer{i}")) for i in (1, 2, 3, 4)]
    assert blocks == [3, 4, 6, 3] and net.visible.kind == ("basic", (3, 4, 6, 3))


@pytest.mark.parametrize(("field", "printed"), {
    "image_size": 224, "block": "basic", "depth": (3, 4, 6, 3), "width": 64, "weights": "imagenet", "thermal": "mmse4",
    "discriminator_rate": 1e-4, "base_rate": 2e-3, "pretraining_rate": 2e-3, "pretraining": "own",
    "adversarial": "eq1", "attention": "entropy", "partition": "subject", "label_sets": "shared",
}.items())  # fmt: skip
def test_paper_tier_has_the_printed_values(field, printed):
    assert getattr(TIERS["paper"], field) == printed and TIERS["paper"] == Config()


def test_thermal_images_are_the_datasets_own_where_it_has_some():
    found = {p: Config().on(p).thermal for p in ("laughter_posed", "laughter_speech", "mmse4", "ckplus7", "oulu6")}
    assert list(found.values()) == ["own"] * 3 + ["mmse4"] * 2


def test_all_rates_follow_half_a_cosine():
    net = unpaired(OURS, base_rate=0.02, last_rate=0.1, iterations=4, decoder_rate=5.0, discriminator_rate=0.5)
    for seed in range(4):
        net.step(beside_batch(seed))
    share = 0.1 + 0.9 * (1 + math.cos(math.pi * 3 / 4)) / 2  # the last step was iteration 3
    rates = {name: [g["lr"] for g in o.param_groups] for name, o in net.optimisers.items()}
    assert rates["visible"] == pytest.approx([0.02 * share, 5 * 0.02 * share])
    assert rates["D_h"] == rates["D_l"] == pytest.approx([0.5 * share])
    momenta = {name: o.param_groups[0].get("momentum", o.param_groups[0].get("betas")) for name, o in
               net.optimisers.items()}  # fmt: skip
    assert momenta == {"visible": 0.9, "thermal": 0.9, "D_h": (0.5, 0.999), "D_l": (0.5, 0.999)}


def test_no_network_starts_elsewhere_in_another_row():
    nets = {name: unpaired(terms) for name, terms in VARIANTS.items()}
    for name, net in nets.items():
        assert same_bits(snapshot(net.visible), snapshot(nets["ResNet"].visible)), name
    for name in ("D_h", "D_l", "thermal"):
        first, other = (nets[row].get_submodule(name) for row in ("L_a+L_h+L_l", "Ours"))
        assert same_bits(snapshot(first), snapshot(other)), name


def test_published_weights_are_asked_for_by_the_networks_that_move(monkeypatch):
    asked = []
    monkeypatch.setattr("fercore.networks.resnet.TappedResNet.load_published", lambda net: asked.append(net))
    for variant, names in {
        "ResNet": ["visible"], "Ours": ["visible"], "Wang": ["visible", "thermal"], "thermal": ["thermal"],
    }.items():  # fmt: skip
        net = unpaired(UNPAIRED_STAGES[variant], weights="imagenet")
        net.initialise()
        assert asked == [net.get_submodule(name) for name in names], variant
        asked.clear()
    unpaired(OURS).initialise()
    assert asked == []


def test_a_stage_does_not_know_the_weights_of_terms_and_has_its_own_length_and_rate():
    one, other = (
        replace(TINY_UNPAIRED, lambda_1=x, lambda_3=x, adversarial="eq3_literal", attention="constant",
            discriminator_rate=x, pretraining="own", pretraining_rate=0.5) for x in (1, 2)
    )  # fmt: skip
    for stage in PRETRAINING:
        stages = [replace(config, **config.pretrained_by(stage)) for config in (one, other)]
        assert stages[0] == stages[1] and stages[0].pretraining == ""
        assert (stages[0].iterations, stages[0].base_rate) == (TINY_UNPAIRED.pretraining_iterations, 0.5)
    learns = {"image_size", "width", "batch_size", "last_rate", "partition", "m", "scale", "weights"}
    assert {f.name for f in fields(Config)} >= learns and not learns & TINY_UNPAIRED.pretrained_by("thermal").keys()


def test_a_stage_of_another_database_takes_all_its_thermal_images_as_its_own():
    config = replace(TINY_UNPAIRED, thermal="mmse4", m=9, pretraining="own")
    assert config.pretrained_on("visible") == {} == replace(config, thermal="own").pretrained_on("thermal")
    place = {"dataset": "mmse", "protocol": "mmse4", "fold": 0, "inner": None}
    assert config.pretrained_on("thermal") == place
    stage = replace(config, **config.pretrained_by("thermal"))
    assert (stage.partition, stage.m, stage.thermal) == ("none", None, "own")
    assert replace(config, **config.pretrained_by("visible")).m == 9


def test_stages_provide_what_the_method_starts_from():
    assert {name: stage.provides for name, stage in PRETRAINING.items()} == {
        "visible": ("visible",), "thermal": ("thermal",)
    }  # fmt: skip
    assert {name: stage.modality for name, stage in PRETRAINING.items()} == {
        "visible": "visible", "thermal": "thermal"
    }  # fmt: skip
    for stage in PRETRAINING.values():
        net = unpaired(stage.terms)
        net.step(beside_batch())
        for name in stage.provides:
            assert net.moves(name)
            unpaired(OURS).get_submodule(name).load_state_dict(net.get_submodule(name).state_dict())


def test_every_row_has_a_printed_name_and_the_baseline_is_the_visible_stage_trained_on():
    assert PRINTED.keys() == VARIANTS.keys() and PRINTED["Ours"] == "Ours: L_a+L_h+L_l+L_r"
    assert UNPAIRED_STAGES["visible"] == VARIANTS["ResNet"]
