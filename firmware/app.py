"""The composition root: every part, and every stream between parts, is made and named here, once.

schedule, button, command -> requests -> snapshot -> shots of each camera -> judge -+
                                                                                    +-> mailbox -> decide -> sinks
sensors, fan, health, tick, acknowledge, reset -------------------------------------+                |
                                                                                            levels -> outputs

An attendant sees shots with their verdicts, and what was decided on, for a cleaning of the duct; it asks for snapshots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from drivers.types import Instant, Reading, SourceId
from drivers.worker import Worker
from firmware import logs, realtime
from firmware.agreement import Agreement
from firmware.alarm_desk import AlarmDesk
from firmware.alarms.outputs import Following, outputs_on
from firmware.alarms.store import AlarmStore, Remembered
from firmware.alarms.types import AlarmRecord
from firmware.album import Album
from firmware.attached import attached
from firmware.attending import Attendant, Hands, Housekeeping
from firmware.cleaning.course import Course
from firmware.cleaning.record import Stamp
from firmware.deciding import Message, decide, tick
from firmware.devices import make
from firmware.events import Event
from firmware.health import Health, LoopLag, report_health
from firmware.judging import INVOKE_LIMIT_S, judge
from firmware.lamp import Lamp
from firmware.observations import Observation
from firmware.photography import Lighting, Photographer, Shot, aim, photograph, request_regularly
from firmware.pictures import MAILBOX_SIZE as PICTURES_WAITING
from firmware.pictures import Interest, keep_pictures
from firmware.plan import Plan
from firmware.rules.engine import RuleEngine
from firmware.rules.tracks import Place
from firmware.sampling import fan_reading
from firmware.streams import Latest, Mailbox
from firmware.supervisor import Service, Start, Supervisor
from firmware.surroundings import Surroundings
from firmware.uplink.commands import Answer, BoardCommand, Cleaning, Report, Snapshot
from firmware.vitals import Vitals
from firmware.wall import for_people
from model.budget import LatencyBudget
from model.classifier import label_of
from model.smoothing import Smoothing
from model.types import Verdict
from model.viewpoint import Viewpoint

STAGE_LIMIT_S = 30.0  # a stage that was given something to do must be done with it within this
SNAPSHOT_LIMIT_S = 120.0  # opening, warming up and closing of every camera, each at its limit; a simulated one is drawn
CLEANING_LIMIT_S = 120.0  # the end of one: alarms, pictures, a report and a file, each at its limit


class Board:
    """The streams of one run, and the services that stand between them."""

    def __init__(
        self,
        plan: Plan,
        around: Surroundings,
        *,
        mailbox: Mailbox[Message],
        store: AlarmStore,
        remembered: Remembered,
        places: Iterable[Place],
        derive: Callable[[Observation], Sequence[Reading]],
        housekeeping: Housekeeping,
        album: Album | None,
        aim_period_ns: int | None,
        further: Sequence[Service] = (),
    ) -> None:
        """`places` are what each device will say; `further` services run beside the board's own.

        Needs a running event loop.
        """
        self._config = plan.config
        self._classifier = plan.classifier
        self._around = around
        self._clock = around.site.clock
        self._aims = aim_period_ns is not None
        self._mailbox = mailbox
        self._requests: Latest[str] = Latest()
        self._shots = {SourceId(camera.name): Latest[Shot]() for camera in self._config.families["camera"]}
        self._levels = {SourceId(output.name): Latest[float]() for output in self._config.families["output"]}
        self._taken: Mailbox[tuple[Shot, Verdict]] = Mailbox(PICTURES_WAITING)
        self._interest = Interest()
        self._agreement = Agreement(len(self._shots), within_ns=self._config.snapshot.period.ns // 2)
        self._vitals = Vitals(mailbox.put, self._clock.now)
        self._budget = LatencyBudget(self._config.latency.budget * 1000)
        self._lag = LoopLag()
        self._contacts: dict[SourceId, bool] = {}
        self._snapshots_taken = aim_period_ns is None and bool(self._config.families["camera"])
        self._lamp = self._make_lamp()
        self._judge = Worker("classifier")
        self._viewpoints = self._make_viewpoints()
        engine = RuleEngine(
            plan.rules,
            now=self._clock.now(),
            remembered=remembered.records,
            outage_ns=remembered.outage_ns,
            sources=self._config.sources,
            places=places,
        )
        self.alarms = AlarmDesk(engine, mailbox.put, self._clock)
        self._attendant = self._make_attendant(housekeeping)
        self._derive = derive
        self.supervisor = Supervisor(
            [
                Service("tick", partial(tick, mailbox, self._clock), STAGE_LIMIT_S),
                self._deciding(engine, store),
                *self._photographing(aim_period_ns),
                *self._judging(),
                *attached(
                    self._config,
                    around.site,
                    say=mailbox.put,
                    vitals=self._vitals,
                    press=partial(self.request, "button"),
                    hold=self._attendant.hold if self._config.cleaning.button else None,
                    contacts=self._contacts,
                    levels=self._levels,
                ),
                *self._keeping_pictures(album),
                Service("cleaning", self._attendant.attend, CLEANING_LIMIT_S),
                self._reporting(),
                Service("loop lag", self._lag.watch, STAGE_LIMIT_S),
                *further,
            ],
            clock=self._clock,
            failed=self._vitals.failed,
            chance=around.chance,
        )

    async def run(self) -> None:
        """Run until cancelled. Raises ExceptionGroup for what nobody expected. Outputs are safe afterwards."""
        async with AsyncExitStack() as stack:
            if self._lamp is not None:
                await stack.enter_async_context(self._lamp)
            await self.supervisor.run()

    async def obey(self, command: BoardCommand) -> Answer:
        """Carry out what somebody asked for; what comes of it goes the way of all events."""
        match command:
            case Snapshot() if self._aims or not self._shots:
                return Answer(False, "no snapshots here: there is no camera, or the cameras are being aimed")
            case Snapshot():
                self._requests.put("command")
                return Answer(True, "the snapshot is being taken")
            case Report():
                self._mailbox.put(self._health.report(self._clock))
                return Answer(True, "the report is on its way")
            case _ if isinstance(command, Cleaning):
                return await self._attendant.obey(command)
            case _:
                self._mailbox.put(command)
                return Answer(True, "handed to the alarms: their transitions tell what came of it")

    def request(self, by: str) -> None:
        """Let a snapshot be taken."""
        self._requests.put(by)

    def cleaning(self) -> Mapping[str, object]:
        """How far it is, in plain values."""
        return self._attendant.status()

    @property
    def _health(self) -> Health:
        return Health(budget=self._budget, lag=self._lag, figures=self._figures)

    def _figures(self) -> dict[str, float]:
        return {
            "restarts": self.supervisor.restarts,
            "device_failures": self._vitals.failures,
            "dropped": self._mailbox.dropped + self._taken.dropped,
            "overwritten": sum(shots.overwritten for shots in self._shots.values()),
            **self._around.figures(),
        }

    def _deciding(self, engine: RuleEngine, store: AlarmStore) -> Service:
        following = [
            Following(output=SourceId(name), severities=frozenset(policy.severities), until=policy.until)
            for name, policy in self._config.outputs.items()
        ]

        def follow(alarms: Sequence[AlarmRecord]) -> None:
            on = outputs_on(following, alarms)
            for output, levels in self._levels.items():
                levels.put(float(output in on))

        def publish(event: Event) -> None:
            for sink in self._around.sinks:
                sink(event)
            self._attendant.hear(event)

        start = partial(
            decide,
            self._mailbox,
            engine=engine,
            store=store,
            publish=publish,
            follow=follow,
            clock=self._clock,
            derive=self._derive,
        )
        return _stage("decide", start)

    def _make_lamp(self) -> Lamp | None:
        lights = self._config.families["light"]
        return Lamp(make("light", lights[0], self._around.site), self._vitals) if lights else None

    def _photographing(self, aim_period_ns: int | None) -> Iterator[Service]:
        cameras = [make("camera", camera, self._around.site) for camera in self._config.families["camera"]]
        if not cameras:
            return
        settings = self._config.snapshot
        lighting = Lighting(
            level=settings.light_level,
            settle_s=settings.settle,
            limit_s=settings.light_limit,
            dark_frame=settings.dark_frame,
        )
        photographer = Photographer(cameras, self._lamp, lighting, self._clock, self._vitals, logs.log_camera)
        if aim_period_ns is not None:
            yield _stage("aim", partial(aim, photographer, aim_period_ns, self._deliver))
            return
        yield Service("snapshots", partial(photograph, photographer, self._requests, self._deliver), SNAPSHOT_LIMIT_S)
        yield _stage("schedule", partial(request_regularly, settings.period.ns, self._requests, self._clock))

    def _deliver(self, shot: Shot) -> None:
        self._around.see(shot)
        self._shots[shot.lit.source].put(shot)

    def _judging(self) -> Iterator[Service]:
        for camera, shots in self._shots.items():
            start = partial(
                judge,
                shots,
                clock=self._clock,
                classifier=self._classifier,
                worker=self._judge,
                smoothing=Smoothing(needed=self._config.snapshot.agree, of=self._config.snapshot.of),
                limits=self._config.degree.limits,
                budget=self._budget,
                say=self._tell,
                keep=self._keep,
                viewpoint=self._viewpoints.get(camera),
            )
            yield _stage(f"judge {camera}", start)

    def _make_viewpoints(self) -> dict[SourceId, Viewpoint]:
        """Nothing to compare with while the cameras are being aimed."""
        at_most = 0 if self._aims else self._config.snapshot.moved_at_most
        return {camera: Viewpoint(at_most) for camera in self._shots} if at_most else {}

    def _make_attendant(self, housekeeping: Housekeeping) -> Attendant:
        cameras = [] if self._aims else list(self._shots)
        bounds, under_way = self._config.cleaning.bounds, housekeeping.under_way
        hands = Hands(
            say=self._mailbox.put,
            request=partial(self.request, "cleaning"),
            reset=self.alarms.reset_dirt,
            see_anew=self._see_anew,
            begin_anew=housekeeping.begin_anew,
        )
        return Attendant(
            Course(cameras, bounds, under_way.steps if under_way else ()),
            under_way,
            store=housekeeping.store,
            hands=hands,
            clock=self._clock,
            stamp=self._stamp,
            label=partial(label_of, thresholds=self._classifier.manifest.thresholds),
            needed=bounds.clean_needed,
        )

    def _stamp(self, at: Instant) -> Stamp:
        wall = self._around.wall()
        return Stamp(for_people(wall, at), wall.synchronised)

    async def _see_anew(self) -> None:
        for viewpoint in self._viewpoints.values():  # where they are used: a thread may be at one just now
            await self._judge.run(viewpoint.see_anew, limit_s=INVOKE_LIMIT_S)

    def _tell(self, verdict: Verdict) -> None:
        self._mailbox.put(verdict)
        if (found := self._agreement.feed(verdict)) is not None:
            self._mailbox.put(found)

    def _keep(self, shot: Shot, verdict: Verdict) -> None:
        self._attendant.look(shot, verdict)
        self._around.judged(shot, verdict)
        if self._interest.roused_by(verdict):
            self._taken.put((shot, verdict))

    def _keeping_pictures(self, album: Album | None) -> Iterator[Service]:
        if album is None:
            return
        start = partial(
            keep_pictures,
            self._taken,
            album,
            Worker("pictures"),
            clock=self._clock,
            utc=lambda at: self._around.wall().utc(at).replace(":", "").replace("-", ""),
            say=self._mailbox.put,
            vitals=self._vitals,
        )
        yield _stage("pictures", start)

    def _reporting(self) -> Service:
        period = self._config.health.period
        start = partial(
            report_health, self._health, period.ns, repeat=self._repeat, clock=self._clock, say=self._mailbox.put
        )
        return Service("health", start, STAGE_LIMIT_S + period)

    def _repeat(self) -> None:
        """Say again what is only said at changes: a signal that falls silent would be unknown to the rules.

        Where there are no snapshots, and so no gaps between them, this is when garbage is collected.
        """
        if not self._snapshots_taken:
            realtime.collect_garbage()
        self._vitals.repeat()
        self._attendant.repeat()
        for fan, running in self._contacts.items():
            self._mailbox.put(fan_reading(fan, running, self._clock.now()))


def _stage(name: str, start: Start) -> Service:
    """A stage of the pipeline: what goes wrong in it nobody expected."""
    return Service(name, start, STAGE_LIMIT_S)
