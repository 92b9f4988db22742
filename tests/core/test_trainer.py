"""What one step of the game does: who moves, on which data, by how much."""

import copy
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from core.adversarial import adversarial_loss
from core.game import Batch, NoiseGame
from core.networks.mlp import MaxoutDiscriminator, MlpGenerator
from core.phase import (
    Forward,
    Phase,
    Player,
    Term,
    adversarial_discriminator_term,
    adversarial_generator_term,
)
from core.schedule import constant, linear
from core.trainer import Order, StepReport, Trainer
from tests.core.games import (
    Counting,
    DiracGame,
    Log,
    dirac_trainer,
    generator_trainer,
    sgd,
    sigmoid,
)

ORDERS: list[Order] = ["alternating", "simultaneous"]
PLAYERS: list[Player] = ["discriminator", "generator"]


class Pictures:
    def batch(self, index: int) -> Batch:
        return Batch(torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(index)))


def mlp_game() -> NoiseGame:
    torch.manual_seed(3)
    return NoiseGame(
        MlpGenerator(5, (1, 4, 4), 8, torch.full((1, 4, 4), 0.5)),
        MaxoutDiscriminator(16, units=6, pieces=2),
        5,
    )


def by_hand(order: Order, steps: int, theta: float, psi: float, rate: float) -> tuple[float, float]:
    """Non-saturating Dirac-GAN under SGD; the data at step i is the number 1 + i."""
    for step in range(steps):
        real = 1.0 + step
        before = psi
        psi -= rate * (-sigmoid(-psi * real) * real + sigmoid(psi * theta) * theta)
        slope = psi if order == "alternating" else before
        theta -= rate * -sigmoid(-slope * theta) * slope
    return theta, psi


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_both_orders_move_as_worked_out_by_hand(order: Order, steps: int) -> None:
    game = DiracGame(0.7, -0.4)
    dirac_trainer(game, rate=0.3, order=order).train(steps)
    assert game.position == pytest.approx(by_hand(order, steps, 0.7, -0.4, 0.3), abs=1e-6)


def test_only_in_alternating_order_does_the_generator_see_the_moved_discriminator() -> None:
    # A discriminator of slope zero tells the generator nothing.
    positions = {}
    for order in ORDERS:
        game = DiracGame(0.7, 0.0)
        dirac_trainer(game, order=order).train(1)
        positions[order] = game.position
    assert positions["simultaneous"][0] == pytest.approx(0.7, abs=1e-7)
    assert positions["alternating"][0] > 0.7
    assert positions["alternating"][1] == positions["simultaneous"][1]


def test_phases_move_in_the_order_given() -> None:
    game = DiracGame(0.7, 0.0)
    trainer = dirac_trainer(game)
    trainer.phases.reverse()
    trainer.train(1)
    assert game.position[0] == pytest.approx(0.7, abs=1e-7)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("loss", ["non-saturating", "relativistic-average"])
def test_a_phase_moves_its_own_network_alone(order: Order, player: Player, loss: str) -> None:
    game = mlp_game()
    networks = {"discriminator": game.discriminator, "generator": game.generator}
    pair = adversarial_loss(loss)
    term = {
        "discriminator": adversarial_discriminator_term(pair),
        "generator": adversarial_generator_term(pair),
    }[player]
    before = {name: copy.deepcopy(network) for name, network in networks.items()}
    phase = Phase(player, sgd(networks[player]), [term], constant(0.5))
    Trainer(game, [phase], Pictures(), order=order).train(1)
    for name, network in networks.items():
        pairs = list(zip(network.parameters(), before[name].parameters(), strict=True))
        unmoved = [torch.equal(now, then) for now, then in pairs]
        assert all(unmoved) == (name != player)


@pytest.mark.parametrize("order", ORDERS)
def test_a_step_leaves_no_gradients_and_no_frozen_parameters_behind(order: Order) -> None:
    game = mlp_game()
    pair = adversarial_loss("non-saturating")
    phases = [
        Phase("discriminator", sgd(game.discriminator), [adversarial_discriminator_term(pair)],
              constant(0.1)),
        Phase("generator", sgd(game.generator), [adversarial_generator_term(pair)], constant(0.1)),
    ]  # fmt: skip
    Trainer(game, phases, Pictures(), order=order).train(2)
    for network in (game.generator, game.discriminator):
        for parameter in network.parameters():
            assert parameter.grad is None
            assert parameter.requires_grad


def test_repeated_moves_draw_fresh_batches_and_the_generator_sees_the_last() -> None:
    game = DiracGame()
    trainer = dirac_trainer(game, repeats=3)
    trainer.train(2)
    assert game.seen == [1, 2, 3, 3, 4, 5, 6, 6]
    assert trainer.batches_drawn == 6
    assert trainer.step == 2


def test_both_players_of_a_plain_step_share_one_batch() -> None:
    for order in ORDERS:
        game = DiracGame()
        trainer = dirac_trainer(game, order=order)
        trainer.train(3)
        assert game.seen == [1, 1, 2, 2, 3, 3]
        assert trainer.batches_drawn == 3


def test_simultaneous_moves_cannot_be_repeated() -> None:
    with pytest.raises(ValueError, match="repeats = 1"):
        dirac_trainer(DiracGame(), order="simultaneous", repeats=2)


@pytest.mark.parametrize("order", ORDERS)
def test_a_phase_waits_for_its_start(order: Order) -> None:
    game = DiracGame(0.7, -0.4)
    trainer = dirac_trainer(game, order=order, start=2)
    trainer.train(2)
    theta, psi = game.position
    assert psi == pytest.approx(-0.4, abs=1e-7)
    assert theta < 0.7
    trainer.train(3)
    assert game.position[1] != psi


def test_a_player_may_have_one_phase_after_another_with_schedules_of_their_own() -> None:
    game = DiracGame(0.0)
    term = linear_term(1.0, weight=linear(0, 4, steps=4))
    first = Phase("generator", sgd(game.generator), [term], linear(1, 3, steps=2), stop=2)
    second = Phase("generator", sgd(game.generator), [term], linear(10, 30, steps=2), start=2)
    trainer = Trainer(game, [first, second], Counting())
    positions = []
    for step in range(4):
        trainer.train(step + 1)
        positions.append(game.position[0])
    # rate times weight, each counted from the phase's start: 1 * 0, 2 * 1, 10 * 0, 20 * 1
    assert positions == pytest.approx([0, -2, -2, -22])


def linear_term(slope: float, name: str = "linear", **settings: object) -> Term:
    """A term whose gradient by theta is ``slope``."""
    return Term(name, lambda forward: slope * forward.fake.mean(), **settings)  # type: ignore[arg-type]


def test_weights_scale_terms_and_follow_schedules() -> None:
    game = DiracGame(0.0)
    terms = [linear_term(1.0, "a", weight=0.5), linear_term(1.0, "b", weight=linear(0, 8, steps=4))]
    trainer = generator_trainer(game, terms)
    expected = 0.0
    for step in range(6):
        trainer.train(step + 1)
        expected -= 0.5 + min(2.0 * step, 8.0)
        assert game.position[0] == pytest.approx(expected, abs=1e-6)


def test_a_lazy_term_is_computed_every_nth_step_n_times_as_strong() -> None:
    computed: list[int] = []
    game = DiracGame(0.0)

    def function(forward: Forward) -> Tensor:
        computed.append(trainer.step)
        return forward.fake.mean()

    trainer = generator_trainer(game, [Term("lazy", function, 0.25, every=3)])
    path = []
    for step in range(7):
        trainer.train(step + 1)
        path.append(game.position[0])
    assert computed == [0, 3, 6]
    assert path == pytest.approx([-0.75, -0.75, -0.75, -1.5, -1.5, -1.5, -2.25])


def test_a_term_of_weight_zero_is_not_computed() -> None:
    def never(_forward: Forward) -> Tensor:
        raise AssertionError("computed")

    game = DiracGame(0.0)
    log = Log()
    terms = [Term("off", never, 0.0), Term("off yet", never, constant(0.0)), linear_term(1.0)]
    trainer = generator_trainer(game, terms)
    trainer.observers = [log]
    trainer.train(1)
    assert game.position[0] == -1.0
    assert set(log.reports[0].values) == {"generator/linear"}


def test_a_step_without_any_term_moves_nobody() -> None:
    game = DiracGame(0.7, -0.4)
    generator_trainer(game, [linear_term(1.0, weight=0.0)]).train(2)
    assert game.position == pytest.approx((0.7, -0.4), abs=1e-7)


def test_one_backward_pass_adds_up_the_gradients_of_all_terms() -> None:
    def pixel(forward: Forward) -> Tensor:
        return (forward.fake - forward.real).abs().mean()

    def variance(forward: Forward) -> Tensor:
        return forward.fake.var(dim=0).mean()

    adversarial = adversarial_generator_term(adversarial_loss("relativistic-average"), 0.3)
    terms = [Term("pixel", pixel, 2.0), Term("variance", variance, 0.7), adversarial]

    def moves(chosen: list[Term]) -> list[Tensor]:
        game = mlp_game()
        game.discriminator.eval()
        before = [p.detach().clone() for p in game.generator.parameters()]
        phase = Phase("generator", sgd(game.generator), chosen, constant(1.0))
        trainer = Trainer(game, [phase], Pictures())
        torch.manual_seed(11)  # the same noise each time
        trainer.train(1)
        return [b - p.detach() for b, p in zip(before, game.generator.parameters(), strict=True)]

    together = moves(terms)
    apart = [moves([term]) for term in terms]
    for whole, *parts in zip(together, *apart, strict=True):
        assert float(whole.abs().max()) > 0
        assert torch.allclose(whole, torch.stack(parts).sum(dim=0), atol=1e-6)


def test_the_samples_of_a_phase_are_drawn_once_for_all_terms() -> None:
    game = DiracGame()
    terms = [linear_term(1.0, "a"), linear_term(2.0, "b"),
             adversarial_generator_term(adversarial_loss("hinge"))]  # fmt: skip
    generator_trainer(game, terms).train(1)
    assert len(game.seen) == 1


def test_real_logits_are_computed_for_the_generator_only_where_its_loss_needs_them() -> None:
    scored: dict[str, list[float]] = {}

    class Watched(DiracGame):
        def score(self, sample: Tensor, batch: Batch) -> Tensor:
            scored[name].append(float(sample[0, 0].detach()))
            return super().score(sample, batch)

    for name in ("non-saturating", "relativistic-paired"):
        scored[name] = []
        game = Watched(0.5)
        generator_trainer(game, [adversarial_generator_term(adversarial_loss(name))]).train(1)
    assert scored == {"non-saturating": [0.5], "relativistic-paired": [0.5, 1.0]}


@pytest.mark.parametrize(("slope", "moved"), [(5.0, 2.0), (1.5, 1.5)])
def test_clip_norm_shortens_long_gradients_alone(slope: float, moved: float) -> None:
    game = DiracGame(0.0)
    generator_trainer(game, [linear_term(slope)], clip_norm=2.0).train(1)
    assert game.position[0] == pytest.approx(-moved, abs=1e-5)


def test_constrain_projects_the_player_after_each_move() -> None:
    def at_most_half(network: nn.Module) -> None:
        for parameter in network.parameters():
            parameter.data.clamp_(-0.5, 0.5)

    game = DiracGame(0.0, 0.9)
    generator_trainer(game, [linear_term(1.0)], constrain=at_most_half).train(1)
    assert game.position == pytest.approx((-0.5, 0.9), abs=1e-7)


def test_learning_rate_and_momentum_follow_their_schedules() -> None:
    rate, momentum = linear(1.0, 0.2, steps=4), linear(0.5, 0.9, steps=4)
    game = DiracGame(0.0)
    optimizer = torch.optim.SGD(game.generator.parameters(), lr=123.0, momentum=0.123)
    phase = Phase("generator", optimizer, [linear_term(1.0)], rate, momentum)
    Trainer(game, [phase], Counting()).train(6)
    theta, velocity = 0.0, 0.0
    for step in range(6):
        # torch's first move has no momentum to add
        velocity = velocity * momentum(step) + 1.0
        theta -= rate(step) * velocity
    assert game.position[0] == pytest.approx(theta, abs=1e-5)


def test_a_report_holds_the_unweighted_value_of_each_term_and_the_win_rate() -> None:
    game = DiracGame(0.7, 0.4)
    log = Log()
    trainer = dirac_trainer(game, loss="wasserstein", rate=0.0, batches=Counting(-1.0))
    trainer.phases[1].terms = [linear_term(1.0, weight=5.0)]
    trainer.observers = [log]
    trainer.train(2)
    first, second = ({k: float(v) for k, v in r.values.items()} for r in log.reports)
    # the data is at -1, scored -0.4: called false; the samples are at 0.7, scored 0.28: called true
    assert first == pytest.approx(
        {
            "discriminator/adversarial": 0.4 * 0.7 + 0.4,
            "discriminator/win_rate": 0.0,
            "generator/linear": 0.7,
        }
    )
    assert second["discriminator/adversarial"] == pytest.approx(0.4 * 0.7)
    assert [report.step for report in log.reports] == [1, 2]
    assert not any(v.requires_grad for r in log.reports for v in r.values.values())


def test_observers_are_closed_at_the_end() -> None:
    log = Log()
    trainer = dirac_trainer(DiracGame())
    trainer.observers = [log]
    trainer.train(2)
    assert (len(log.reports), log.closed) == (2, 1)


class Fails:
    """A supply that breaks at its third batch."""

    def batch(self, index: int) -> Batch:
        if index == 2:
            raise OSError("the disk is gone")
        return Counting().batch(index)


def test_observers_are_closed_when_the_data_fails_and_the_error_reaches_the_caller() -> None:
    log = Log()
    trainer = dirac_trainer(DiracGame(), batches=Fails())
    trainer.observers = [log]
    with pytest.raises(OSError, match="the disk is gone"):
        trainer.train(5)
    assert (len(log.reports), log.closed) == (2, 1)


def test_observers_are_closed_when_one_of_them_fails() -> None:
    class Broken(Log):
        def after_step(self, trainer: Trainer, report: StepReport) -> None:  # noqa: ARG002
            raise RuntimeError("full")

    logs = [Log(), Broken()]
    trainer = dirac_trainer(DiracGame())
    trainer.observers = [*logs]
    with pytest.raises(RuntimeError, match="full"):
        trainer.train(5)
    assert [log.closed for log in logs] == [1, 1]


def test_stop_ends_training_after_the_present_step() -> None:
    class Stopper(Log):
        def after_step(self, trainer: Trainer, report: StepReport) -> None:
            trainer.stop = report.step == 3

    trainer = dirac_trainer(DiracGame())
    log = Log()
    trainer.observers = [Stopper(), log]
    trainer.train(10)
    assert trainer.step == 3
    assert len(log.reports) == 3


def test_training_goes_on_until_a_number_of_steps_in_all() -> None:
    game = DiracGame()
    trainer = dirac_trainer(game)
    trainer.train(2)
    trainer.train(2)
    trainer.train(4)
    assert game.seen == [1, 1, 2, 2, 3, 3, 4, 4]


def test_the_sampler_is_the_smoothed_generator_where_there_is_one() -> None:
    plain = dirac_trainer(DiracGame())
    assert plain.sampler is plain.game.generator
    smooth = dirac_trainer(DiracGame(), ema_decay=0.9)
    assert smooth.ema is not None
    assert smooth.sampler is smooth.ema.network


def other_networks(trainer: Trainer) -> None:
    trainer.game = mlp_game()


def fewer_phases(trainer: Trainer) -> None:
    trainer.phases.pop()


def no_ema(trainer: Trainer) -> None:
    trainer.ema = None


@pytest.mark.parametrize(
    ("change", "complaint"),
    [(other_networks, "other networks"), (fewer_phases, "other phases"), (no_ema, "ema")],
)
def test_a_state_of_another_game_is_refused(
    change: Callable[[Trainer], None], complaint: str
) -> None:
    state = dirac_trainer(DiracGame(), ema_decay=0.9).state_dict()
    trainer = dirac_trainer(DiracGame(), ema_decay=0.9)
    change(trainer)
    with pytest.raises(ValueError, match=complaint):
        trainer.load_state_dict(state)


def test_accumulated_batches_move_as_one_batch_of_all_of_them() -> None:
    together, apart = DiracGame(), DiracGame()

    class Both:
        def batch(self, index: int) -> Batch:
            first = Counting().batch(2 * index).real
            return Batch(torch.cat([first, Counting().batch(2 * index + 1).real]))

    def trainer(game: DiracGame, batches: object, accumulate: int) -> Trainer:
        made = dirac_trainer(game)
        return Trainer(game, made.phases, batches, accumulate=accumulate)  # type: ignore[arg-type]

    trainer(together, Both(), 1).train(3)
    accumulating = trainer(apart, Counting(), 2)
    accumulating.train(3)
    assert accumulating.batches_drawn == 6
    assert apart.position == pytest.approx(together.position, abs=1e-6)
    with pytest.raises(ValueError, match="accumulate must be at least 1, not 0"):
        trainer(DiracGame(), Counting(), 0)


def test_batches_are_prepared_with_their_index() -> None:
    game = DiracGame()
    made = dirac_trainer(game)

    def prepare(batch: Batch, index: int) -> Batch:
        return Batch(100 * batch.real + index)

    trainer = Trainer(game, made.phases, made.batches, prepare=prepare)
    trainer.train(2)
    assert game.seen == [100, 100, 201, 201]


class Slow(Counting):
    """Batches that take their time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def batch(self, index: int) -> Batch:
        time.sleep(self.seconds)
        return super().batch(index)


class Pause(Log):
    """Takes time between steps."""

    def after_step(self, trainer: Trainer, report: StepReport) -> None:
        super().after_step(trainer, report)
        time.sleep(0.03)


@pytest.mark.parametrize("repeats", [1, 2])
def test_a_step_tells_how_long_it_waited_for_all_its_data(repeats: int) -> None:
    trainer = dirac_trainer(DiracGame(), batches=Slow(0.03), repeats=repeats)
    log = Log()
    trainer.observers = [log]
    trainer.train(4)
    for report in log.reports:
        assert 0.6 * 0.03 * repeats < report.data_wait <= report.seconds


def test_data_that_are_ready_are_not_waited_for() -> None:
    trainer = dirac_trainer(DiracGame(), batches=Slow(0.01))
    log = Log()
    trainer.observers = [log, Pause()]
    trainer.train(4)
    assert all(report.data_wait < 0.005 for report in log.reports[1:])
