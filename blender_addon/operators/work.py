"""What operators that ask the engine have in common."""

from bpy.props import BoolProperty
from bpy.types import Context, Event

from .. import compat, jobs
from ..errors import AddonError


class Work:
    """Mixed into an operator whose `work(scene)` asks the engine, and returns the jobs: errors become reports and the
    panel's line, and only a script waits until the jobs are done."""

    wait: BoolProperty(
        name="Wait",
        description="Return when all is done, as scripts like it",
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        return self.execute(context)

    def execute(self, context: Context) -> set[str]:
        try:
            asked = self.work(compat.sequencer_scene(context))
            for job in asked if self.wait else ():
                jobs.wait(job, step="UNDO" not in self.bl_options)
        except AddonError as error:
            jobs.state.error = str(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}
