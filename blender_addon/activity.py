"""What is being done, what waits and what went wrong, as panels show it."""

import bpy
from bpy.types import Context, Scene, UILayout

from . import jobs, models
from .layouts import remaining, size, width, wrapped
from .operators import generate


def draw(layout: UILayout, context: Context, scene: Scene) -> None:
    """What is being done, what waits, and what went wrong."""
    pixels = width(context)
    if jobs.state.error:
        box = layout.box()
        row = box.row()
        text = row.row()
        text.alert = True
        ended = jobs.state.engine_ended
        line = jobs.state.error.partition(" (log: ")[0] if ended else jobs.state.error  # there is a button for the log
        model = _model_to_download(scene)
        if model:
            line = f"{models.title(model)} is not on this computer, or not all of it. {models.facts(model)}"
        wrapped(text, line, pixels - 60, icon="ERROR")
        row.operator("aimv.dismiss_error", text="", icon="X", emboss=False)
        if ended:
            column = box.column(align=True)
            column.operator("aimv.restart_engine", icon="FILE_REFRESH")
            column.operator("aimv.open_log", icon="TEXT").which = "engine"
        if model:
            box.operator("aimv.download_model", icon="IMPORT")
            if not bpy.app.online_access:
                wrapped(box, models.OFFLINE, pixels - 30, icon="INTERNET_OFFLINE")
    for job in jobs.of(scene):
        if job.state == "RUNNING":
            _draw_running(layout, job, pixels)
        elif job.state == "QUEUED":
            row = layout.row(align=True)
            wrapped(row, job.title, pixels - 30, icon="TIME").active = False
            _draw_cancel(row, job)


def _model_to_download(scene: Scene) -> str:
    """The model that the line of trouble is about, if that can be downloaded."""
    lacking = generate.lacking_model(scene)
    return generate.model_of(lacking[0]) if lacking and lacking[0].error == jobs.state.error else ""


def _draw_running(layout: UILayout, job: jobs.Job, pixels: float) -> None:
    """The job's name, how far it is, and how long it may still take."""
    column = layout.column(align=True)
    wrapped(column, job.title, pixels)
    row = column.row(align=True)
    as_text = size if job.stage.startswith("downloading") else "{:.0f}".format  # bytes, or pictures
    row.progress(factor=job.fraction, text=f"{as_text(job.done)} of {as_text(job.total)}" if job.total else "")
    _draw_cancel(row, job)
    stage = "cancelling" if job.cancelled else job.stage
    told = ", ".join(text for text in (stage, remaining(job.eta) if job.eta else "") if text)
    if told:
        wrapped(column, told[0].upper() + told[1:], pixels).active = False


def _draw_cancel(layout: UILayout, job: jobs.Job) -> None:
    layout.operator("aimv.cancel", text="", icon="X").job = job.id
