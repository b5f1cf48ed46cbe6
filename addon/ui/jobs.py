"""What can be done to a job in the list: stop it, make it again, bring its result, read its log."""

# Blender reads properties from annotations, so these must not be postponed into strings.

from typing import ClassVar

import bpy
from bpy.props import StringProperty

from ..contract import errors
from ..remote import errands, host
from . import arrival, notes, preferences, reporting, session


class _OnJob:
    """What the operators on one job have in common."""

    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]
    key: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]


class STRIPMOCAP_OT_cancel(_OnJob, bpy.types.Operator):
    """Stops a job."""

    bl_idname = "stripmocap.cancel"
    bl_label = "Cancel Capture"
    bl_description = "Stop this capture. What is finished of it is lost, unless it is tried again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stops it on the service, or before it is sent."""
        live = session.current()
        if self.job_id:
            live.ask(errands.Change(self.job_id, "cancel"))
        else:
            live.ask(errands.Withdraw(self.key))
            live.ledger.forget(self.key)
        notes.drop(self.key)
        live.dirty = True
        return {"FINISHED"}


class STRIPMOCAP_OT_retry(_OnJob, bpy.types.Operator):
    """Makes a job again."""

    bl_idname = "stripmocap.retry"
    bl_label = "Retry Capture"
    bl_description = "Try this capture again; steps that were finished are not made again"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Queues it again, or asks for it again if it never reached the service."""
        live = session.current()
        try:
            live.connect(preferences.backend_of(context), start=True)
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        submit = live.ledger.refused(self.key)
        makes_bodies = live.ledger.makes_bodies(self.job_id)
        if submit is not None:
            live.ledger.ask(submit, name=live.tickets[self.key].strip)
            live.ask(submit)
            makes_bodies = submit.request.estimator is not None
        elif self.job_id:
            live.ask(errands.Change(self.job_id, "retry"))
        strip = arrival.strip_of(self.key)
        if strip is not None:
            live.ledger.mine.add(self.key)
        if strip is not None and makes_bodies:  # a search brings nothing that a file waits for
            notes.note_target(strip.id_data, self.key, context.scene.name)
        return {"FINISHED"}


class STRIPMOCAP_OT_do_next(_OnJob, bpy.types.Operator):
    """Puts a job before all others of this user."""

    bl_idname = "stripmocap.do_next"
    bl_label = "Capture Next"
    bl_description = "Let this capture run before all others of yours that wait"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Asks the service."""
        session.current().ask(errands.Change(self.job_id, "first"))
        return {"FINISHED"}


class STRIPMOCAP_OT_forget(_OnJob, bpy.types.Operator):
    """Takes a job off the list."""

    bl_idname = "stripmocap.forget"
    bl_label = "Remove from List"
    bl_description = "Delete this job and its result; what was imported stays"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Deletes it on the service."""
        live = session.current()
        if self.job_id:
            live.ask(errands.Change(self.job_id, "delete"))
        live.ledger.forget(self.key)
        notes.drop(self.key)
        live.dirty = True
        return {"FINISHED"}


class STRIPMOCAP_OT_import_job(_OnJob, bpy.types.Operator):
    """Imports the result of a job."""

    bl_idname = "stripmocap.import_job"
    bl_label = "Import"
    bl_description = (
        "Bring the captured people into the scene, under the strip they were captured from"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not in a mode whose undo would not know of the import."""
        return _can_import(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has the result brought; it is imported when it is here."""
        session.current().fetch(self.job_id, by_hand=True)
        return {"FINISHED"}


class STRIPMOCAP_OT_import_so_far(_OnJob, bpy.types.Operator):
    """Imports what is finished of a job that runs."""

    bl_idname = "stripmocap.import_so_far"
    bl_label = "Import So Far"
    bl_description = (
        "Bring what is finished of this capture into the scene, to work with while the rest is "
        "captured. The whole capture comes beside it in the end"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not in a mode whose undo would not know of the import."""
        return _can_import(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has it brought; it is imported when it is here."""
        session.current().fetch_part(self.job_id)
        return {"FINISHED"}


class STRIPMOCAP_OT_job_log(_OnJob, bpy.types.Operator):
    """Shows what was written while a job ran."""

    bl_idname = "stripmocap.job_log"
    bl_label = "Show Log"
    bl_description = "Put what was written while this job ran into a text of this file"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has the log brought."""
        session.current().ask(errands.ReadLog(self.job_id))
        return {"FINISHED"}


class STRIPMOCAP_OT_connect(bpy.types.Operator):
    """Starts the service, or looks for it again."""

    bl_idname = "stripmocap.connect"
    bl_label = "Connect"
    bl_description = "Start the service if it does not run, and show its jobs"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Asks the watcher."""
        live = session.current()
        try:
            live.connect(preferences.backend_of(context), start=True)
            live.ask(errands.AskHealth())
        except errors.StripMocapError as error:
            return reporting.failed(self, error)
        return {"FINISHED"}


class STRIPMOCAP_OT_check(bpy.types.Operator):
    """Looks whether this computer can capture."""

    bl_idname = "stripmocap.check"
    bl_label = "Check"
    bl_description = "Look whether the backend runs on this computer, and what it lacks"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has the backend examine itself."""
        return _look(self, context, errands.Examine)


class STRIPMOCAP_OT_test(bpy.types.Operator):
    """Calls the server."""

    bl_idname = "stripmocap.test"
    bl_label = "Test"
    bl_description = "Call the server once and show what it answers"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Has the server called."""
        return _look(self, context, errands.Try)


class STRIPMOCAP_OT_clear_cache(bpy.types.Operator):
    """Empties the cache."""

    bl_idname = "stripmocap.clear_cache"
    bl_label = "Clear Cache"
    bl_description = "Delete the kept steps of earlier captures; results stay"
    bl_options: ClassVar[set[str]] = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """The service runs."""
        if session.current().ledger.connection.touch == "on":
            return True
        cls.poll_message_set("The service does not run; press Connect in the sequencer's panel")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Asks the service."""
        session.current().ask(errands.ClearCache())
        return {"FINISHED"}


CLASSES = (
    STRIPMOCAP_OT_cancel,
    STRIPMOCAP_OT_retry,
    STRIPMOCAP_OT_do_next,
    STRIPMOCAP_OT_forget,
    STRIPMOCAP_OT_import_job,
    STRIPMOCAP_OT_import_so_far,
    STRIPMOCAP_OT_job_log,
    STRIPMOCAP_OT_connect,
    STRIPMOCAP_OT_check,
    STRIPMOCAP_OT_test,
    STRIPMOCAP_OT_clear_cache,
)


def _can_import(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if arrival.undoable(context):
        return True
    operator.poll_message_set("Leave the mode you are in first, so that the import can be undone")
    return False


def _look(
    operator: bpy.types.Operator,
    context: bpy.types.Context,
    errand: type[errands.Examine] | type[errands.Try],
) -> set[str]:
    live = session.current()
    live.examination = live.tried = None
    try:
        backend = preferences.backend_of(context)
    except errors.StripMocapError as error:
        return reporting.failed(operator, error)
    if errand is errands.Examine and isinstance(backend, host.ThisComputer):
        live.ask(errands.Examine(backend))
        live.checking = True
    elif errand is errands.Try and backend is not None:
        live.ask(errands.Try(backend))
        live.checking = True
    return {"FINISHED"}
