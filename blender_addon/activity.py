"""What is being done, what waits and what went wrong, as panels show it."""

from bpy.types import Context, Scene, UILayout

from . import jobs
from .layouts import remaining, width, wrapped


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
        wrapped(text, line, pixels - 60, icon="ERROR")
        row.operator("aimv.dismiss_error", text="", icon="X", emboss=False)
        if ended:
            column = box.column(align=True)
            column.operator("aimv.restart_engine", icon="FILE_REFRESH")
            column.operator("aimv.open_log", icon="TEXT").which = "engine"
    for job in jobs.of(scene):
        if job.state == "RUNNING":
            _draw_running(layout, job, pixels)
        elif job.state == "QUEUED":
            row = layout.row(align=True)
            wrapped(row, job.title, pixels - 30, icon="TIME").active = False
            _draw_cancel(row, job)


def _draw_running(layout: UILayout, job: jobs.Job, pixels: float) -> None:
    """The job's name, how far it is, and how long it may still take."""
    column = layout.column(align=True)
    wrapped(column, job.title, pixels)
    row = column.row(align=True)
    row.progress(factor=job.fraction, text=f"{job.done:.0f} of {job.total:.0f}" if job.total else "")
    _draw_cancel(row, job)
    stage = "cancelling" if job.cancelled else job.stage
    told = ", ".join(text for text in (stage, remaining(job.eta) if job.eta else "") if text)
    if told:
        wrapped(column, told[0].upper() + told[1:], pixels).active = False


def _draw_cancel(layout: UILayout, job: jobs.Job) -> None:
    layout.operator("aimv.cancel", text="", icon="X").job = job.id
