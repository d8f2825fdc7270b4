"""IDFERM's own wiring: what each term compares, which network it moves, what stages know, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from factories import FOUR, IDFERM_STAGES, THREE, TINY_IDFERM, idferm, person_batch, same_bits, snapshot

from fercore.losses import metric, mined
from fercore.method import Batch
from fercore.networks.inception import standardised
from fercore.networks.metric_head import BilinearSimilarity, QuadraticSimilarity
from fercore.papers.idferm import BASELINE, HNG, PRETRAINING, TIERS, VARIANTS, Config

WEIGHTS = {"w_feat": 0.9, "w1": 0.5, "w2": 0.7, "w3": 1.3, "w4": 0.6}
OURS = VARIANTS["IDFERM"]


@pytest.fixture
def batch():
    """Two images of each of three classes, neutral among them."""
    return replace(person_batch(5), label=torch.tensor([0, 1, 3, 0, 1, 3]),
                   is_reference=torch.tensor([True, False, False] * 2))  # fmt: skip


def double(net, batch):
    return net.double(), replace(batch, image=batch.image.double(), reference=batch.reference.double())


def log_loss(logit) -> float:
    return np.log1p(np.exp(-logit.detach().double().numpy())).mean()


def absolute(a, b) -> float:
    return np.abs(a.detach().numpy() - b.detach().numpy()).mean()


@pytest.mark.parametrize("symmetry", ["pixel", "laplacian"])
def test_terms_of_the_generator_are_equations_1_to_7(symmetry, batch):
    net, batch = double(idferm(HNG, symmetry=symmetry), batch)
    net.eval()
    x, y, seen = batch.image, batch.reference, net.stand_in
    made = net.Dec(net.Enc(x))
    flat = made.detach().numpy()[:, 0]
    if symmetry == "laplacian":
        around = flat[:, :-2, 1:-1] + flat[:, 2:, 1:-1] + flat[:, 1:-1, :-2] + flat[:, 1:-1, 2:]
        flat = around - 4 * flat[:, 1:-1, 1:-1]
    expected = {
        "feat": ((seen.phi(made) - seen.phi(y)) ** 2).mean().item(),
        "id": sum(absolute(a, b) for a, b in zip(seen.psi(x), seen.psi(made), strict=True)),
        "pixel": absolute(y, made),
        "sym": np.abs(flat - flat[..., ::-1]).mean(),
        "GAN": log_loss(net.Dis(made)),
        "discriminate": log_loss(net.Dis(y)) + log_loss(-net.Dis(made)),
    }
    assert len({round(value, 6) for value in expected.values()}) == 6
    for term, value in expected.items():
        assert getattr(net, term)(batch, net(batch)).item() == pytest.approx(value, rel=1e-6), term


def test_each_player_of_the_generator_gets_the_gradient_of_its_own_terms(batch):
    net, batch = double(idferm(HNG, **WEIGHTS), batch)
    out, w, known = net(batch), WEIGHTS, {}
    value = {term: getattr(net, term)(batch, out) for term in HNG}
    both = w["w_feat"] * value["feat"] + w["w1"] * value["id"] + w["w2"] * value["pixel"]
    losses = {
        "Enc": both,
        "Dec": both + w["w3"] * value["sym"] + w["w4"] * value["GAN"],
        "Dis": value["discriminate"],
    }
    for name, loss in losses.items():
        known[name] = torch.autograd.grad(loss, list(net.get_submodule(name).parameters()), retain_graph=True)
    before = snapshot(net.stand_in)
    net.step(batch)
    for name, gradients in known.items():
        for parameter, gradient in zip(net.get_submodule(name).parameters(), gradients, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-10)
    assert same_bits(before, snapshot(net.stand_in))
    assert all(parameter.grad is None for parameter in net.stand_in.parameters())


def test_symmetry_and_the_game_never_reach_the_encoder(batch):
    net = idferm(frozenset({"sym", "GAN", "discriminate"}))
    before = {name: snapshot(network) for name, network in net.named_children()}
    net.step(batch)
    assert same_bits(before["Enc"], snapshot(net.Enc))
    assert not any(same_bits(before[name], snapshot(net.get_submodule(name))) for name in ("Dec", "Dis"))


def embedded(net, batch):
    """o, f of the images, f of the references, by a pass of one's own in training mode."""
    o, f = net.head(net.trunk(standardised(torch.cat([batch.image, batch.reference]))))
    return o, f[:6], f[6:]


def slow_eq16(f, reference, label, pushed, margin=1.0):
    """H = b - |L (f1 - f2)|^2 with L = 1 / sqrt(d) and b = 1, centres of queries alone."""
    f, reference, total = f.detach().numpy(), reference.detach().numpy(), 0.0
    for i, y in enumerate(label):
        C = np.mean([f[j] for j in range(len(label)) if label[j] == y], axis=0)
        own, other = (1 - ((row - C) ** 2).sum() / len(C) for row in (f[i], reference[i]))
        total += max(0, margin - own) + (max(0, margin + other) if pushed[i] else 0)
    return total / len(label)


@pytest.mark.parametrize("similarity", ["V1", "V0"])
@pytest.mark.parametrize("margin", [1.0, 0.4])
def test_the_radial_loss_is_equation_16_without_pushing_references_of_neutral_queries(similarity, margin, batch):
    net, batch = double(idferm(OURS, similarity=similarity, margin=margin), batch)
    assert type(net.H) is {"V1": BilinearSimilarity, "V0": QuadraticSimilarity}[similarity]
    _, f, reference = embedded(net, batch)
    label, pushed = batch.label.tolist(), (~batch.is_reference).tolist()
    found = net.RML(batch, net(batch)).item()
    assert found == pytest.approx(slow_eq16(f, reference, label, pushed, margin), rel=1e-9)
    assert found != pytest.approx(slow_eq16(f, reference, label, [True] * 6, margin), rel=1e-6)


def test_the_joint_loss_is_softmax_and_lambda_times_the_radial_loss(batch):
    net, batch = double(idferm(OURS, lambda_RML=0.7), batch)
    out, own = net(batch), list(net.parameters())
    total = net.softmax(batch, out) + 0.7 * net.RML(batch, out)
    expected = torch.autograd.grad(total, own)
    net.step(batch)
    for parameter, gradient in zip(own, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("classes", "on", "doubled"), [(FOUR, True, True), (FOUR, False, False),
                         ((*THREE, "fear"), True, False)])  # fmt: skip
def test_generated_faces_are_neutral_examples_where_neutral_is_a_class(classes, on, doubled, batch):
    net, batch = double(idferm(OURS, classes=classes, neutral_generated=on), batch)
    log_p = net.classifier(embedded(net, batch)[0]).log_softmax(1).detach().numpy()
    each = [-log_p[i, y] for i, y in enumerate(batch.label.tolist())]
    each += [-log_p[i, 0] for i in range(6, 12)] if doubled else []
    assert net.softmax(batch, net(batch)).item() == pytest.approx(np.mean(each), rel=1e-9)


def test_other_rows_compare_embeddings_of_the_images_alone(batch):
    alone = replace(batch, reference=None)
    member = torch.arange(4)[:, None] == batch.label
    member = member[member.any(1)]
    losses = {
        "triplet": lambda f: mined.triplet(f, batch.label, 1.5),
        "n_pair": lambda f: mined.n_pair(f, batch.label),
        "coupled_clusters": lambda f: metric.coupled_clusters(f, member, ~member, 1.5),
        "centre": lambda f: metric.centre(f, batch.label, metric.class_centres(f, batch.label, 4)),
    }
    for term, loss in losses.items():
        net = idferm(frozenset({"softmax", term}), alpha=1.5)
        f = net.head(net.trunk(standardised(batch.image)))[1]
        assert getattr(net, term)(alone, net(alone)).item() == pytest.approx(loss(f).item(), rel=1e-4), term


def slow_clusters(f, label, subject, queries):
    f, total = f.detach().numpy(), 0.0
    for q in range(queries):
        near = [i for i in range(len(label)) if label[i] == label[q]]
        far = [i for i in range(len(label)) if subject[i] == subject[q] and label[i] != label[q]]
        C = np.mean(f[near], axis=0)
        h = [1 - ((row - C) ** 2).mean() for row in f]
        total += np.mean([max(0, 1 - h[i]) for i in near])
        total += np.mean([max(0, 1 + h[i]) for i in far]) if far else 0
    return total / queries


@pytest.mark.parametrize("classes", [FOUR, (*THREE, "fear")], ids=["neutral", "none"])
def test_clusters_take_other_expressions_of_a_person_and_its_generated_face_too(classes, batch):
    subject, label = batch.subject.tolist(), batch.label.tolist()
    net, one = double(idferm(VARIANTS["2B(N+M)"], classes=classes), batch)
    f = net.head(net.trunk(standardised(one.image)))[1]
    assert net.clusters(one, net(one)).item() == pytest.approx(slow_clusters(f, label, subject, 6), rel=1e-9)
    net, one = double(idferm(VARIANTS["augmented"], classes=classes), batch)
    f, added = torch.cat(embedded(net, one)[1:]), [0 if "neutral" in classes else -1] * 6
    expected = slow_clusters(f, label + added, subject * 2, 6)
    assert net.clusters_generated(one, net(one)).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("variant", ["IDFERM", "centre"])
def test_moving_centres_start_as_the_first_batch_and_then_move_in_training_only(variant, batch):
    net = idferm(VARIANTS[variant], centres="ema", ema=0.8)
    others = replace(person_batch(6), label=torch.tensor([0, 1, 2, 0, 1, 2]), is_reference=batch.is_reference)
    means = []
    for one in (batch, others):
        means.append(metric.class_centres(net(one).f.detach(), one.label, 4))
        net.step(one)
        if one is batch:
            torch.testing.assert_close(net.C, means[0])
    expected = torch.stack([0.8 * means[0][0] + 0.2 * means[1][0], 0.8 * means[0][1] + 0.2 * means[1][1],
                            means[1][2], means[0][3]])  # fmt: skip
    torch.testing.assert_close(net.C, expected)
    assert torch.equal(net.progress()["networks"]["C"], net.C)
    net.eval()
    _ = net(batch).moved
    torch.testing.assert_close(net.C, expected)


def test_a_class_of_one_image_in_the_batch_is_refused_by_name(batch):
    single = replace(batch, label=torch.tensor([0, 0, 1, 1, 2, 3]))
    net = idferm(OURS)
    with pytest.raises(ValueError, match=r"\['happiness', 'surprise'\] have one image each in the batch"):
        net.step(single)
    assert net.iteration == 0
    idferm(OURS, centres="ema").step(single)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_prediction_is_of_the_expression_branch_and_needs_no_reference(variant, batch):
    net = idferm(VARIANTS[variant])
    net.step(batch)
    net.eval()
    expected = net.classifier(net.head.feature(net.trunk(standardised(batch.image)))).softmax(1)
    for given in (batch, replace(batch, reference=batch.reference.flip(0)), Batch(batch.image)):
        torch.testing.assert_close(net.predict(given), expected.detach())


def test_rows_start_alike_and_have_what_their_terms_need():
    nets = {name: idferm(terms) for name, terms in VARIANTS.items()}
    for name, net in nets.items():
        for part in ("trunk", "classifier", "head.expression"):
            found, base = (snapshot(one.get_submodule(part)) for one in (net, nets[BASELINE]))
            assert same_bits(found, base), (name, part)
        assert hasattr(net.head, "metric") == (name != BASELINE)
        assert hasattr(net, "H") == (name in ("2B(N+M)", "augmented", "IDFERM"))
        assert hasattr(net, "C") == (name == "centre")


def test_recognisers_are_the_published_ones_or_the_stand_in():
    with torch.device("meta"):
        published = idferm(HNG, weights="published")
    assert {"phi", "psi"} <= dict(published.named_children()).keys() and not hasattr(published, "stand_in")
    assert not hasattr(idferm(HNG), "phi")
    assert not any(published.moves(name) for name in ("phi", "psi"))


@pytest.mark.parametrize(("field", "valid"), {
    "weights": "published, stand_in", "symmetry": "pixel, laplacian", "filters": "paper, small",
    "similarity": "V1, V0", "centres": "batch, ema", "reference": "generated, true", "crops": "five, any",
}.items())  # fmt: skip
def test_values_that_mean_nothing_are_refused_with_the_valid_ones(field, valid):
    with pytest.raises(ValueError, match=f"^{field} 'frame' is unknown; valid: {valid}$"):
        Config(**{field: "frame"})


@pytest.mark.parametrize(("change", "message"), [
    ({"per_class": 1}, "per_class: at least 2"), ({"pretraining_per_class": 1}, "per_class: at least 2"),
    ({"image_size": 65}, "image_size 65 cannot be cropped from stored 64"), ({"pretraining": "own"}, "multipie"),
], ids=str)  # fmt: skip
def test_numbers_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Config(**change)


def test_networks_too_small_for_their_images_are_refused():
    for terms, change in ((OURS, {"image_size": 24}), (HNG, {"stored": 30}), (PRETRAINING["identity"].terms,
                          {"stored": 15})):  # fmt: skip
        with pytest.raises(ValueError, match="image_size"):
            idferm(terms, **change)


def test_the_paper_tier_has_the_printed_values():
    config = TIERS["paper"]
    assert config == Config() and config.stored_size == 64
    assert (config.image_size, config.code, config.slope, config.lambda_RML, config.margin) == (60, 256, 0.1, 1.0, 1.0)
    assert (config.momentum, config.weight_decay, config.pretraining_rate, config.per_class) == (0.9, 1e-4, 0.1, 2)
    assert (config.w_feat, config.w1, config.w2, config.w3, config.w4) == (1.0, 0.03, 0.01, 0.3, 0.1)


def test_the_rate_follows_half_a_cosine():
    net = idferm(OURS, base_rate=0.02, last_rate=0.1, iterations=4)
    for seed in range(4):
        net.step(person_batch(seed))
    share = 0.1 + 0.9 * (1 + math.cos(math.pi * 3 / 4)) / 2
    (group, *_) = net.optimisers["RML"].param_groups
    assert group["lr"] == pytest.approx(0.02 * share) and group["momentum"] == 0.9 and group["weight_decay"] == 1e-4
    hng = idferm(HNG, base_rate=0.02)
    assert {hng.optimisers[name].param_groups[0]["betas"] for name in ("Enc", "Dec", "Dis")} == {(0.5, 0.999)}


def test_stages_provide_what_the_next_one_has():
    assert {name: stage.after for name, stage in PRETRAINING.items() if stage.after} == {
        "HNG_vggface": "identity", "HNG": "HNG_vggface"
    }  # fmt: skip
    for first, second in (("identity", "HNG_vggface"), ("HNG_vggface", "HNG")):
        one, other = (idferm(IDFERM_STAGES[name]) for name in (first, second))
        for name in set(PRETRAINING[first].provides) & dict(other.named_children()).keys():
            other.get_submodule(name).load_state_dict(one.get_submodule(name).state_dict())
    assert TINY_IDFERM.pretrained_by("HNG")["iterations"] == TINY_IDFERM.hng_iterations
