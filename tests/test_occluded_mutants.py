"""Mistakes that public attempts at Occluded made: each breaks a property that the real method has."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial

import pytest
import torch
from factories import TINY_OCCLUDED, covered_batch, same_bits, snapshot
from torch import nn

from fercore.losses import privileged
from fercore.losses.classification import cross_entropy
from fercore.papers.occluded import VARIANTS, Occluded, Outputs

OURS = VARIANTS["Ours"]
Make = Callable[..., Occluded]


def made(kind: type[Occluded], terms=OURS, **changes) -> Occluded:
    torch.manual_seed(0)
    return kind(replace(TINY_OCCLUDED, **changes), 4, terms).train()


# --- properties ------------------------------------------------------------------------------------------------------


def teacher_is_a_network_of_its_own(make: Make) -> None:
    net, batch = make(), covered_batch()
    shared = {p.data_ptr() for p in net.student.parameters()} & {p.data_ptr() for p in net.teacher.parameters()}
    assert not shared
    before = net.sim(batch, net(batch)).item(), net.discriminate(batch, net(batch)).item()
    nn.init.zeros_(net.teacher.conv1.weight)
    after = net.sim(batch, net(batch)).item(), net.discriminate(batch, net(batch)).item()
    assert before[0] != after[0] and before[1] != after[1]  # and it is the one that is asked


def teacher_is_frozen(make: Make) -> None:
    net = make()
    before = snapshot(net.teacher)
    for seed in range(2):
        net.step(covered_batch(seed))
    assert all(p.grad is None for p in net.teacher.parameters())
    assert same_bits(before, snapshot(net.teacher))  # weights and statistics


def teacher_says_the_same_of_an_image_whatever_stands_beside_it(make: Make) -> None:
    net, batch = make(), covered_batch()
    part = replace(batch, **{n: getattr(batch, n)[:3] for n in ("image", "privileged", "label", "is_reference")})
    torch.testing.assert_close(net(part).clean_scores, net(batch).clean_scores[:3], rtol=1e-4, atol=1e-6)


def a_network_that_is_sure_and_right_has_no_loss(make: Make) -> None:
    net, batch = make(), covered_batch()
    net.eval()
    for network in (net.student, net.teacher):
        network.fc.weight.data *= 1e4
    right = replace(batch, label=net.student(batch.image).argmax(1))
    assert net.sup(right, net(right)) < 1e-3
    assert net.predict(right).max(1).values.min() > 0.999


def two_sure_networks_that_disagree_are_as_far_apart_as_can_be(make: Make) -> None:
    net, batch = make(), covered_batch()
    net.eval()
    for network, winner in ((net.student, 0), (net.teacher, 1)):
        nn.init.zeros_(network.fc.weight)
        network.fc.bias.data = 1e3 * torch.eye(4)[winner]
    zero, one = (replace(batch, label=torch.full((6,), label)) for label in (0, 1))
    assert net.sim(zero, net(zero)).item() == pytest.approx(2)  # (1, 0, 0, 0) and (0, 1, 0, 0)
    assert net.LIR(zero, net(zero)).item() == pytest.approx(1e3) and net.LIR(one, net(one)) == 0


def images_of_a_test_do_not_mix(make: Make) -> None:
    net = make()
    for seed in range(2):
        net.step(covered_batch(seed))
    image, one = covered_batch(7), covered_batch(7)
    one = replace(one, image=one.image[:1], label=None, is_reference=None, privileged=None)
    torch.testing.assert_close(net.eval().predict(one), net.predict(image)[:1], rtol=1e-4, atol=1e-6)


def a_step_makes_no_layer(make: Make) -> None:
    net, made, ordinary = make(), [], nn.Module.__init__

    def counted(self, *args, **kwargs):
        made.append(type(self).__name__)
        ordinary(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Module, "__init__", counted)
        net.step(covered_batch())
    assert not made


def the_critic_does_not_train_the_student(make: Make) -> None:
    for gain in (1.0, 100.0):
        net, other = make(), make()
        other.discriminate = lambda batch, out, o=other, gain=gain: gain * type(o).discriminate(o, batch, out)
        net.step(covered_batch()), other.step(covered_batch())
        assert same_bits(snapshot(net.student), snapshot(other.student))


# --- mutants ---------------------------------------------------------------------------------------------------------


class TeacherIsTheStudent(Occluded):
    def __init__(self, *args):
        super().__init__(*args)
        self.teacher = self.student


class TeacherSharesABlock(Occluded):
    def __init__(self, *args):
        super().__init__(*args)
        self.teacher.layer2 = self.student.layer2


class StudentAskedInTheTeachersPlace(Occluded):
    def forward(self, batch):
        class Mistaken(Outputs):
            @cached_property
            def clean_map(self):
                return self.net.student.tap(self.batch.privileged)

            @cached_property
            def clean_scores(self):
                return self.net.student.fc(self.net.student.pooled(self.clean_map))

        return Mistaken(self, batch)


class TeacherInTrainMode(Occluded):
    def train(self, mode=True):
        return nn.Module.train(self, mode)


class TeacherLearns(Occluded):
    def _players(self):
        student, *others = super()._players()
        return [replace(student, networks=student.networks | {"teacher": 1.0}), *others]

    def forward(self, batch):
        class Mistaken(Outputs):
            @cached_property
            def clean_map(self):
                return self.net.teacher.tap(self.batch.privileged)

            @cached_property
            def clean_scores(self):
                return self.net.teacher.fc(self.net.teacher.pooled(self.clean_map))

        return Mistaken(self, batch)


class SoftmaxIntoSup(Occluded):
    def sup(self, batch, out):
        return cross_entropy(out.logits.softmax(1), batch.label)


class SoftmaxIntoEverything(Occluded):
    def forward(self, batch):
        class Mistaken(Outputs):
            @cached_property
            def logits(self):
                return self.net.student.fc(self.feature).softmax(1)

        return Mistaken(self, batch)


class SoftmaxIntoSim(Occluded):
    def sim(self, batch, out):
        return privileged.similarity(out.logits.softmax(1), out.clean_scores.softmax(1))


class SoftmaxIntoLIR(Occluded):
    def LIR(self, batch, out):
        return privileged.loss_inequality(out.logits.softmax(1), out.clean_scores.softmax(1), batch.label)


class FreshNorm(Occluded):
    """Behind the student's tap, as the public attempt has it."""

    settled = False

    def __init__(self, *args):
        super().__init__(*args)
        ordinary = self.student.tap

        def tap(image):
            h = ordinary(image)
            norm = nn.BatchNorm2d(h.shape[1])
            return (norm.eval() if self.settled else norm)(h)

        self.student.tap = tap


class FreshNormThatDoesNothing(FreshNorm):
    settled = True


class OneLossForAll(Occluded):
    """Student and critic descend the sum of all terms, as a single backward call would have it."""

    def _players(self):
        student, critic, teacher = super()._players()
        return [replace(student, terms=student.terms | critic.terms), critic, teacher]


BROKEN = {
    TeacherIsTheStudent: teacher_is_a_network_of_its_own,
    TeacherSharesABlock: teacher_is_frozen,
    StudentAskedInTheTeachersPlace: teacher_is_a_network_of_its_own,
    TeacherInTrainMode: teacher_is_frozen,
    TeacherLearns: teacher_is_frozen,
    SoftmaxIntoSup: a_network_that_is_sure_and_right_has_no_loss,
    SoftmaxIntoEverything: a_network_that_is_sure_and_right_has_no_loss,
    SoftmaxIntoSim: two_sure_networks_that_disagree_are_as_far_apart_as_can_be,
    SoftmaxIntoLIR: two_sure_networks_that_disagree_are_as_far_apart_as_can_be,
    FreshNorm: images_of_a_test_do_not_mix,
    FreshNormThatDoesNothing: a_step_makes_no_layer,
    OneLossForAll: the_critic_does_not_train_the_student,
}
PROPERTIES = {*BROKEN.values(), teacher_says_the_same_of_an_image_whatever_stands_beside_it}


@pytest.mark.parametrize("holds", sorted(PROPERTIES, key=lambda p: p.__name__), ids=lambda p: p.__name__)
def test_the_method_has_the_property(holds):
    holds(partial(made, Occluded))


@pytest.mark.parametrize(("mutant", "holds"), BROKEN.items(), ids=lambda x: x.__name__)
def test_the_mistake_is_caught(mutant, holds):
    with pytest.raises(AssertionError):
        holds(partial(made, mutant))


def test_a_teacher_in_train_mode_is_caught_by_its_answers_too():
    with pytest.raises(AssertionError):
        teacher_says_the_same_of_an_image_whatever_stands_beside_it(partial(made, TeacherInTrainMode))
