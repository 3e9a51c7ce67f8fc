"""The learning half of a `Forecaster`: from data and arguments to a trainer."""

from __future__ import annotations

from itertools import count

from torch import nn

from unrolled.baselines import Rival
from unrolled.data.doctor import Checkup
from unrolled.tasks.base import Task
from unrolled.tasks.forecasting.auto import Trial, architectures, tournament, trials_of
from unrolled.tasks.forecasting.columns import Columns
from unrolled.tasks.forecasting.course import Course, Done
from unrolled.tasks.forecasting.fitted import Fitted, tested_score
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.settings import AUTO, Facts, Settings, able, going_on, settle
from unrolled.training import snapshot
from unrolled.training.budget import Budget
from unrolled.training.loop import Trainer
from unrolled.training.optimizer import Recipe
from unrolled.training.run import Run


class Learner(Task):
    """Settles the arguments by the data, tries what "auto" leaves open, and makes the trainer.

    Attributes:
        settings: what None and "auto" came to.
        reading, columns: how a table is read.
        checkup: the data doctor's.
        rivals: fitted on the same past, by kind.
        trials: what "auto" tried.
    """

    model: nn.Module
    settings: Settings
    reading: Reading
    columns: Columns
    checkup: Checkup
    rivals: dict[str, Rival]
    trials: list[Trial]
    architecture: str
    quantiles: tuple[float, ...]
    holidays: str | None
    patience: int | None
    device: str
    precision: str
    _fitted: Fitted
    _stopped: Done | None

    def _settle(self, course: Course, budget: Budget, run: Run) -> Budget:
        """Measure the training part and choose the settings; a model that goes on keeps both.

        Returns:
            What is left of the budget.
        """
        self._stopped = None
        if self._goes_on():
            self._adopt(going_on(self.get_params(), self.settings), course)
            course.tell(str(self.checkup))
            return budget
        series, past = course.series, course.past
        self.reading = Reading.of(series, course.cuts, self.holidays, not series.made_up)
        facts = Facts.of(series, past, course.horizon)
        asked = self.get_params()
        self._adopt(settle(asked, facts, course.horizon), course)
        course.tell(str(self.checkup))
        trials, each, rest = trials_of(budget)
        # Without a part that is tested on there is nothing to tell a better trial by.
        if self.architecture != AUTO or trials < 2 or not self.settings.validation > 0:
            return budget

        def settled(architecture: str) -> Settings:
            return settle({**asked, "architecture": architecture}, facts, course.horizon)

        first = self.settings.architecture
        named = [(one, settled(one)) for one in architectures(first, course.horizon, able(asked))]
        nth = count(1)

        def attempt(name: str, settings: Settings) -> Trial | None:
            within = run.within(f"trial-{next(nth)}")
            trial = self._attempt(name, settings, course, each, within)
            if trial is not None:
                course.tell(f"tried {trial}")
            return trial

        best, self.trials = tournament(trials, named, facts, attempt)
        if self._stopped is None:
            self._adopt(best, course)
        return rest

    def _attempt(
        self, name: str, settings: Settings, course: Course, budget: Budget, run: Run
    ) -> Trial | None:
        """Train one network with other settings, and score it on what it was not taught."""
        trial = self.unfitted()
        trial.columns, trial.checkup, trial.trials = self.columns, self.checkup, []
        trial.reading, trial.rivals, trial.evaluation = self.reading, {}, None
        trial._provenance = self._provenance
        alone = settings.with_(members=len(settings.lookbacks))
        trial._adopt(alone, course)
        with snapshot.seeded(self.seed):
            trial.model = trial._fitted.model = trial._build()
            outcome = trial._trainer(course, budget, run, name).train()
        if outcome.ended == "interrupted":
            # What was learnt so far is the result.
            self._adopt(alone, course)
            self.model = trial.model
            self._stopped = Done(outcome)
            return None
        scales = [trial._fitted.scales[one] for one in course.series.ids]
        score = tested_score(trial._fitted, course.series, course.cuts, scales)
        return Trial(name, score, outcome.steps, outcome.seconds)

    def _adopt(self, settings: Settings, course: Course) -> None:
        """These settings it shall be: scales, and what is asked of the network."""
        series, past = course.series, course.past
        self.settings = settings
        season = series.frequency.season
        scales = {
            name: self.settings.scale_of(values, season)
            for name, values in zip(series.ids, past, strict=True)
        }
        until = {
            name: times[len(values) - 1]
            for name, times, values in zip(series.ids, series.times, past, strict=True)
        }
        engine = self.settings.engine(self.reading, self.quantiles)
        self._fitted = Fitted(engine, nn.Module(), self.settings, scales, until)

    def _trainer(
        self, course: Course, budget: Budget, run: Run, title: str = "forecaster"
    ) -> Trainer:
        settings, series = self.settings, course.series
        lesson = self._fitted.engine.lesson(
            self.model,
            series,
            [self._fitted.scales[name] for name in series.ids],
            course.cuts,
            batch_size=settings.batch_size,
            seed=self.seed,
            begin=not self._goes_on(),
        )
        return Trainer(
            self.model,
            lesson.batches,
            lesson.loss,
            lesson.validate,
            budget,
            self._card(),
            self._baseline_tensors(),
            Recipe(learning_rate=settings.learning_rate, average=0.98, patience=self.patience),
            run,
            title=title,
            unit="values",
            loss_unit="per scaled value",
            score_unit="per scaled value",
            device=self.device,
            precision=self.precision,
            progress=course.progress,
            diagnose=course.diagnose,
        )

    def _build(self) -> nn.Module:
        settings = self.settings

        def recurrent(input_size: int) -> nn.RNNBase:
            return self._recurrent(input_size, settings.hidden_size, settings.dropout)

        return self._fitted.engine.network(recurrent, settings.size)
