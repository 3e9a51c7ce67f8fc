"""What the data doctor says of labelled texts, before anything is learnt from them."""

from __future__ import annotations

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.text_doctor import examine_texts
from unrolled.tasks.classifying.reading import Course
from unrolled.tasks.telling import with_notes


def examined(course: Course) -> Checkup:
    """What the data doctor says of the texts, and what the reader guessed."""
    # Rows that were left out are counted by the doctor too, who also shows one of them.
    notes = [note for note in course.given.notes if not note.endswith("left out")]
    return with_notes(
        examine_texts(course.given, course.given_test, course.given_validation), notes
    )
