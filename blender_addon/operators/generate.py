"""Making pictures: of one scene, of what is stale, of all; giving it up; and the line of trouble."""

from itertools import pairwise

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Operator, Scene

from .. import compat, files, jobs, landing, models, repair, requests, segments
from ..errors import AddonError
from ..layouts import WIDGET, scale, wrapped
from ..segments import Segment
from .work import Work

DIALOG = 420  # pixels of the question before a download, before zooming
SCOPES = (
    ("SCENE", "This Scene", "The scene under the playhead, whatever its state"),
    ("STALE", "Stale Scenes", "Scenes that have no pictures, or whose pictures are of other choices or another size"),
    ("ALL", "All Scenes", "Every scene that is not locked; pictures that are there are not made again"),
)


def wanted(scene: Scene, scope: str) -> list[Segment]:
    """The scenes of a scope that may be made: locked ones never are."""
    film = [segment for segment in requests.shown(scene) if not segment.marker.aimv.locked]
    if scope == "SCENE":
        current = segments.current(scene)
        return [segment for segment in film if segment.marker == current]
    if scope == "STALE":
        return outdated(scene, film)
    return film


def outdated(scene: Scene, film: list[Segment]) -> list[Segment]:
    """The scenes that have not the pictures they would get now, or lack some, or have them smaller than the final
    size."""
    states = segments.states(scene)  # all at once: a panel asks for it at every redraw
    final = requests.size_text(requests.size(scene, "final")) if scene.aimv.quality == "final" else None
    return [
        segment
        for segment in film
        if states[segment.marker.aimv.uid] != segments.READY
        or final not in (None, segment.marker.aimv.made_size)
        or files.are_missing(scene, segment.marker)
    ]


def start(scene: Scene, scope: str) -> jobs.Job | None:
    """Asks for pictures. None when they are all being made already. Raises AddonError when nothing can be made."""
    repair.mend_markers(scene)
    if scope == "STALE":
        files.look_for_pictures(scene)
    chosen = wanted(scene, scope)
    if not chosen:
        raise AddonError(_why_nothing(scene, scope))
    return _make(scene, chosen)


def lacking_model(scene: Scene) -> list[jobs.Job]:
    """The scene's jobs that came to nothing because a model isn't here, the last one first."""
    return [
        job
        for job in jobs.of(scene)
        if job.kind == "generate" and job.state == "FAILED" and models.MISSING in job.error
    ]


def model_of(job: jobs.Job) -> str:
    """The diffusion model that a job asks for."""
    return job.params["settings"]["diffusion_model"]


def start_with_download(scene: Scene, model: str) -> jobs.Job | None:
    """Asks for the pictures that lacked this model again, and that it be fetched for them. Raises AddonError."""
    repair.mend_markers(scene)
    uids = {uid for job in lacking_model(scene) if model_of(job) == model for uid in job.making}
    chosen = [segment for segment in wanted(scene, "ALL") if segment.marker.aimv.uid in uids]
    if not chosen:
        raise AddonError("The scenes that the model was to make are not there any more, or locked")
    if requests.settings(scene)["diffusion_model"] != model:
        raise AddonError("Another model was chosen meanwhile: generate again")
    job = _make(scene, chosen, download=True)
    jobs.dismiss_error()
    return job


def _make(scene: Scene, chosen: list[Segment], download: bool = False) -> jobs.Job | None:
    size = requests.size(scene, scene.aimv.quality)
    empty = next((segment.name for segment in chosen if not segment.marker.aimv.sentence.strip()), None)
    if empty is not None:
        raise AddonError(f"Scene {empty} has no prompt: write one, or let the storyboard be written")
    text = requests.size_text(size)
    film = requests.shown(scene)
    wishes = {segment.marker.aimv.uid: (segments.fingerprint(scene, segment.marker), text) for segment in chosen}
    wishes = {uid: wish for uid, wish in wishes.items() if not jobs.is_asked(scene, uid, wish)}
    if not wishes:
        return None
    names = [segment.name for segment in chosen if segment.marker.aimv.uid in wishes]
    title = f"Generate {', '.join(names) if len(names) < 4 else f'{len(names)} Scenes'}"
    wishes |= _before(scene, film, wishes, text)
    params = requests.generate(scene, wishes, size)
    if download:  # never but for this one request, which somebody said yes to
        params["download"] = True
    jobs.withdraw(scene, wishes)
    uids = [segment.marker.aimv.uid for segment in film]
    shooting = landing.Shooting(film[0].first, requests.project(scene), uids, wishes)
    return jobs.submit(scene, "generate", title, params, shooting.land, shooting.notice, shooting.restore, wishes)


def _before(
    scene: Scene, film: list[Segment], wishes: dict[str, tuple[str, str]], size: str
) -> dict[str, tuple[str, str]]:
    """The finished scenes before those that are made: as they fade out, their words turn into the next scene's. All
    else of them is there, so that they cost little."""
    more = {}
    for segment, following in pairwise(film):
        own = segment.marker.aimv
        wish = (own.made, size)
        done = own.made_size == size and segments.state(scene, segment.marker) == segments.READY
        # other pictures of it that are asked for already are not to be given up for this
        free = all(job.making.get(own.uid, wish) == wish for job in jobs.of(scene) if not job.ended)
        if following.marker.aimv.uid in wishes and own.uid not in wishes and done and free and not own.locked:
            more[own.uid] = wish
    return more


def _why_nothing(scene: Scene, scope: str) -> str:
    if not segments.markers(scene):
        return "There are no scenes yet: import a song, or let the storyboard be written"
    if scope == "STALE":
        return "Every scene is up to date, or locked"
    current = segments.current(scene)
    if scope == "SCENE" and current is None:
        return "There is no scene under the playhead"
    if scope == "SCENE" and current.aimv.locked:
        return f"Scene {current.name} is locked"
    return "No scene can be made: each is locked or lasts no frame"


class AIMV_OT_generate(Work, Operator):
    bl_idname = "aimv.generate"
    bl_label = "Generate"
    bl_description = "Make the pictures; what is made already is kept"

    scope: EnumProperty(name="Scope", items=SCOPES, options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, properties: "AIMV_OT_generate") -> str:
        return next(text for name, _, text in SCOPES if name == properties.scope)

    def work(self, scene: Scene) -> list[jobs.Job]:
        job = start(scene, self.scope)
        if job is None:
            self.report({"INFO"}, "These pictures are being made already")
        return [job] if job else []


class AIMV_OT_use_model(Operator):
    bl_idname = "aimv.use_model"
    bl_label = "Use Model"
    bl_description = "Make pictures with this diffusion model"
    bl_options = {"UNDO"}

    model: StringProperty(name="Model", description="The name of a preset", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, _context: Context, properties: "AIMV_OT_use_model") -> str:
        card = models.card(properties.model)
        return f"{card.note.rstrip('.')}. Licence: {card.licence}" if card else cls.bl_description

    def execute(self, context: Context) -> set[str]:
        compat.sequencer_scene(context).aimv.diffusion_model = self.model
        return {"FINISHED"}


class AIMV_OT_download_model(Work, Operator):
    bl_idname = "aimv.download_model"
    bl_label = "Download Model"
    bl_description = "Fetch the diffusion model from the Hugging Face hub, once for all projects, and generate"

    model: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # that the question was about

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not bpy.app.online_access:
            cls.poll_message_set(models.OFFLINE)
        elif not lacking_model(compat.sequencer_scene(context)):
            cls.poll_message_set("No model is asked for")
        else:
            return True
        return False

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        self.model = model_of(lacking_model(compat.sequencer_scene(context))[0])
        title = f"Download {models.title(self.model)}?"
        return context.window_manager.invoke_props_dialog(self, width=DIALOG, title=title, confirm_text="Download")

    def draw(self, _context: Context) -> None:
        pixels = (DIALOG - 2 * WIDGET) * scale()
        wrapped(self.layout, models.facts(self.model), pixels)
        wrapped(self.layout, "It is kept for all projects. Then the scenes are generated", pixels)

    def work(self, scene: Scene) -> list[jobs.Job]:
        job = start_with_download(scene, self.model or model_of(lacking_model(scene)[0]))
        return [job] if job else []


class AIMV_OT_check_files(Operator):
    bl_idname = "aimv.check_files"
    bl_label = "Look for Missing Pictures"
    bl_description = "See whether the pictures of all scenes are still on the disk"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Import a song first")
        return bool(compat.sequencer_scene(context).aimv.project)

    def execute(self, context: Context) -> set[str]:
        missing = files.look_for_pictures(compat.sequencer_scene(context))
        if missing:
            self.report({"WARNING"}, f"{missing} pictures are missing on disk: {files.REMEDY}")
        else:
            self.report({"INFO"}, "All pictures are there")
        jobs.redraw()
        return {"FINISHED"}


class AIMV_OT_cancel(Operator):
    bl_idname = "aimv.cancel"
    bl_label = "Cancel"
    bl_description = "Stop what is being done; what is finished is kept"

    job: IntProperty(name="Job", description="Its number; 0 for all", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: Context) -> bool:
        return bool(jobs.unfinished())

    def execute(self, _context: Context) -> set[str]:
        for job in jobs.unfinished():
            if self.job in (0, job.id):
                jobs.cancel(job)
        return {"FINISHED"}


class AIMV_OT_dismiss_error(Operator):
    bl_idname = "aimv.dismiss_error"
    bl_label = "Dismiss"
    bl_description = "Take this line away"

    def execute(self, _context: Context) -> set[str]:
        jobs.dismiss_error()
        return {"FINISHED"}


CLASSES = (
    AIMV_OT_generate,
    AIMV_OT_use_model,
    AIMV_OT_download_model,
    AIMV_OT_check_files,
    AIMV_OT_cancel,
    AIMV_OT_dismiss_error,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
