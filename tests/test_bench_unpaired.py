"""What the bench of Unpaired's step measures: the parts of the full method, on networks of their own."""

from factories import TINY_UNPAIRED, beside_batch, same_bits, snapshot, unpaired

from fercore import bench_unpaired
from fercore.papers.unpaired import VARIANTS


def test_parts_are_those_of_the_method_and_leave_it_as_it_is():
    net, batch = unpaired(VARIANTS["Ours"]), beside_batch()
    before, modes = snapshot(net), [m.training for m in net.modules()]
    parts = bench_unpaired.parts(net, batch)
    assert set(parts) == {"visible", "thermal", "D_h", "D_l", "decoder"} == set(dict(net.named_children()))
    for _ in range(2):
        for work in parts.values():
            work()
    assert same_bits(before, snapshot(net)) and modes == [m.training for m in net.modules()]


def test_a_step_is_held_against_every_part(monkeypatch):
    asked = []
    monkeypatch.setattr(bench_unpaired, "against_parts", lambda whole, parts, n: asked.append((whole(), parts, n)))
    bench_unpaired.step(TINY_UNPAIRED, 3)
    ((values, parts, repeats),) = asked
    assert values.keys() == VARIANTS["Ours"] and len(parts) == 5 and repeats == 3
