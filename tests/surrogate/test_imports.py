import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from components.core.errors import SourceError
from components.surrogate.annotation_formats import Opinion, Record
from components.surrogate.imports import Imported, agreement_of, import_annotations, pool
from components.surrogate.rows import read_rows
from pipelines.cli import app

TEXTS = {"question": "What is shown?", "references": ["a red door"], "answer": "a door"}


def task(number: int, *scores: Any, control: str = "choices", **data: Any) -> dict[str, Any]:
    """A task of Label Studio's JSON export (labelstud.io/guide/task_format), an annotation a score."""
    return {
        "id": number,
        "created_at": "2026-03-09T21:52:49.513742Z",
        "updated_at": "2026-03-09T22:16:08.746926Z",
        "project": 83,
        "data": {**TEXTS, **data},
        "annotations": [
            {
                "id": 1000 + place,
                "completed_by": 10 + place,
                "was_cancelled": False,
                "ground_truth": False,
                "lead_time": 4.2,
                "task": number,
                "result": [
                    {
                        "id": "Dx_aB91ISN", "from_name": "correctness", "to_name": "answer", "type": control,
                        "origin": "manual", "value": {control: [score] if control == "choices" else score},
                    }
                ],
            }
            for place, score in enumerate(scores)
        ],
        "predictions": [],
    }  # fmt: skip


def record(number: int, *scores: Any, **fields: Any) -> dict[str, Any]:
    """A record of Argilla as its Record.to_dict writes it, a response a score."""
    return {
        "id": f"r{number}",
        "fields": {"question": TEXTS["question"], "references": json.dumps(TEXTS["references"]), "response": "a door",
                   **fields},
        "metadata": {"model": "x"},
        "suggestions": {},
        "responses": {"quality": [{"value": score, "user_id": f"u{place}"} for place, score in enumerate(scores)]},
        "vectors": {},
        "_server_id": None,
    }  # fmt: skip


def write(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def write_lines(path: Path, items: list[Any]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def scores(found: Imported) -> list[float | None]:
    return [kept.row.score for kept in found.kept]


class TestLabelStudio:
    def test_labels_of_several_annotators_become_their_mean_with_agreement(self, tmp_path: Path) -> None:
        tasks = [task(1, "correct", "correct", "wrong"), task(2, "Wrong", answer="a dog")]
        found = import_annotations(write(tmp_path / "export.json", tasks), "label-studio")

        assert scores(found) == [pytest.approx(2 / 3), 0.0]
        assert [kept.annotators for kept in found.kept] == [3, 1]
        assert [kept.agreement for kept in found.kept] == [pytest.approx(1 / 3), None]
        assert found.kept[0].row.references == ("a red door",)

    def test_ratings_need_their_scale(self, tmp_path: Path) -> None:
        path = write(tmp_path / "export.json", [task(1, 4, 5, control="rating")])

        with pytest.raises(SourceError, match=r"rated with numbers such as 4.*--scale low:high"):
            import_annotations(path, "label-studio")
        assert scores(import_annotations(path, "label-studio", scale=(1, 5))) == [0.875]

    def test_what_is_cancelled_or_left_open_does_not_count(self, tmp_path: Path) -> None:
        cancelled = task(1, "correct", "wrong")
        cancelled["annotations"][1]["was_cancelled"] = True
        empty = task(2, answer="a dog")

        found = import_annotations(write(tmp_path / "export.json", [cancelled, empty]), "label-studio")

        assert scores(found) == [1.0]
        assert [(lost.number, lost.reason) for lost in found.lost] == [(2, "not annotated")]

    def test_a_models_prediction_counts_where_nobody_annotated(self, tmp_path: Path) -> None:
        predicted = task(1, "correct")
        predicted["predictions"] = [{"model_version": "m", "result": predicted["annotations"][0]["result"]}]
        both, alone = predicted, {**predicted, "annotations": [], "data": {**TEXTS, "answer": "a red door"}}

        found = import_annotations(write(tmp_path / "export.json", [both, alone]), "label-studio")

        assert [(kept.row.kind, kept.annotators) for kept in found.kept] == [("", 1), ("suggestion", 1)]

    def test_several_controls_have_to_be_told_apart(self, tmp_path: Path) -> None:
        both = task(1, "correct")
        fluent = {**both["annotations"][0]["result"][0], "from_name": "fluency", "value": {"choices": ["bad"]}}
        both["annotations"][0]["result"].append({**fluent, "from_name": "fluency"})
        both["annotations"][0]["result"][0]["from_name"] = "truth"
        path = write(tmp_path / "export.json", [both])

        with pytest.raises(SourceError, match=r"several could be the score: fluency, truth\. Name the one"):
            import_annotations(path, "label-studio")
        with pytest.raises(SourceError, match="nothing is called 'true', but fluency, truth"):
            import_annotations(path, "label-studio", score="true")
        assert scores(import_annotations(path, "label-studio", score="truth")) == [1.0]
        assert scores(import_annotations(path, "label-studio", score="fluency")) == [0.0]

    @pytest.mark.parametrize(
        "broken",
        [
            {"question": "q", "correctness": "correct"},
            {**task(1, "correct"), "data": None},
            {**task(1, "correct"), "annotations": "none"},
            {**task(1, "correct"), "annotations": [3]},
            task(1, "perhaps"),
            task(1, ["correct", "wrong"]),
            task(1, "correct", references=None),
            task(1, "correct", references=[]),
            task(1, "correct", answer="  "),
            task(1, "correct", answer=7),
            "a text",
        ],
    )
    def test_a_task_of_another_form_is_quarantined_alone(self, broken: Any, tmp_path: Path) -> None:
        found = import_annotations(write(tmp_path / "e.json", [broken, task(2, "correct")]), "label-studio")

        assert [(lost.number, lost.reason) for lost in found.lost] == [(1, "schema")]
        assert scores(found) == [1.0]


class TestArgilla:
    def test_responses_are_read_from_a_list_and_from_lines(self, tmp_path: Path) -> None:
        records = [record(1, "correct", "correct"), record(2, "wrong", response="a dog")]

        listed = import_annotations(write(tmp_path / "a.json", records), "argilla")
        lines = import_annotations(write_lines(tmp_path / "a.jsonl", records), "argilla")

        assert scores(listed) == scores(lines) == [1.0, 0.0]
        assert listed.kept[0].row.references == ("a red door",)

    def test_drafts_and_discarded_responses_of_the_server_do_not_count(self, tmp_path: Path) -> None:
        served = record(1)
        served["responses"] = [
            {"user_id": "a", "status": "submitted", "values": {"quality": {"value": 5}}},
            {"user_id": "b", "status": "draft", "values": {"quality": {"value": 1}}},
            {"user_id": "c", "status": "discarded", "values": {"quality": {"value": 1}}},
            {"user_id": "d", "status": "submitted", "question_name": "quality", "value": 4},
        ]
        served["suggestions"] = [{"question_name": "quality", "value": 1, "agent": "m"}]

        found = import_annotations(write(tmp_path / "a.json", [served]), "argilla", scale=(1, 5))

        assert scores(found) == [0.875]
        assert found.kept[0].annotators == 2

    def test_a_suggestion_counts_where_nobody_responded(self, tmp_path: Path) -> None:
        suggested = {**record(1), "suggestions": {"quality": {"value": "correct", "score": 0.9, "agent": "m"}}}

        found = import_annotations(write(tmp_path / "a.json", [suggested]), "argilla")

        assert [(kept.row.score, kept.row.kind) for kept in found.kept] == [(1.0, "suggestion")]

    def test_flat_records_are_read(self, tmp_path: Path) -> None:
        flat = {
            **TEXTS, "id": "1", "quality.responses": [3, 1, 5], "quality.responses.users": ["a", "b", "c"],
            "quality.responses.status": ["submitted", "discarded", "submitted"], "quality.suggestion": 1,
            "quality.suggestion.agent": "m",
        }  # fmt: skip

        found = import_annotations(write(tmp_path / "a.json", [flat]), "argilla", scale=(1, 5))

        assert scores(found) == [0.75]
        assert found.kept[0].annotators == 2


class TestFlat:
    def test_rows_of_a_sheet_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(
            "Question;References;Answer;Score;Annotator\n"
            'What?;"[""red"", ""dark red""]";red;1;ann\n'
            "What?;red;blue;0,25;ann\n"
            "What?;red;short\n"
        )

        found = import_annotations(path, "csv")

        assert [(kept.row.answer, kept.row.score) for kept in found.kept] == [("red", 1.0), ("blue", 0.25)]
        assert found.kept[0].row.references == ("red", "dark red")
        assert [(lost.number, lost.evidence) for lost in found.lost] == [(3, "3 cells, 5 are needed")]

    def test_a_sheet_with_broken_quotes_is_one_error(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text('question,references,answer,label\nq,r,a,1\nq,r,"open,1\n')

        with pytest.raises(SourceError, match=r"a\.csv, line 3: not CSV .*Mend its quotes"):
            import_annotations(path, "csv")

    def test_a_sheet_without_scores_is_one_error(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("question,references,answer\nq,r,a\n")

        with pytest.raises(SourceError, match="without answer, or without score and label"):
            import_annotations(tmp_path / "a.csv", "csv")

    @pytest.mark.parametrize(
        ("line", "evidence"),
        [
            ({**TEXTS, "score": 1.5}, "score is 1.5: give a number from 0 to 1"),
            ({**TEXTS, "score": 0.9, "label": 0}, "label 0 and score 0.9 contradict each other"),
            ({**TEXTS, "score": 1, "answer": "x\ud800"}, "answer holds U+D800, half of a surrogate pair"),
            ([1], "is not an object"),
        ],
    )
    def test_a_bad_line_is_quarantined_alone(self, line: Any, evidence: str, tmp_path: Path) -> None:
        found = import_annotations(write_lines(tmp_path / "a.jsonl", [line, {**TEXTS, "label": 1}]), "jsonl")

        assert [lost.number for lost in found.lost] == [1]
        assert evidence in found.lost[0].evidence
        assert scores(found) == [1.0]


def opinion(number: int, score: float, annotator: str = "", **texts: Any) -> Record:
    return Record(number, {**TEXTS, **texts}, (Opinion(annotator, score),))


class TestPooling:
    def test_the_same_said_again_is_a_duplicate(self) -> None:
        found = pool([opinion(1, 1), opinion(2, 1), opinion(3, 1, question=" What  is\tshown? ")])

        assert (len(found.kept), found.duplicates, found.quarantined) == (1, 2, 0)
        assert [lost.evidence for lost in found.lost] == ["of record 1", "of record 1"]
        assert found.kept[0].annotators == 1

    def test_another_annotators_record_is_taken_into_the_row(self) -> None:
        found = pool([opinion(1, 1, "a"), opinion(2, 0.5, "b"), opinion(3, 1, "a")])

        assert scores(found) == [0.75]
        assert found.kept[0].agreement == 0.5
        assert [(lost.reason, lost.is_duplicate) for lost in found.lost] == [
            ("another opinion", True), ("exact duplicate", True),
        ]  # fmt: skip

    def test_annotators_who_contradict_each_other_are_quarantined_with_what_they_say(self) -> None:
        found = pool([opinion(1, 1, "a"), opinion(2, 0, "b"), opinion(3, 1, answer="another")])

        assert [lost.reason for lost in found.lost] == ["contradictory scores"] * 2
        assert found.lost[0].evidence == "records 1, 2: 1, 0, agreement 0.00"
        assert (len(found.kept), found.quarantined, found.duplicates) == (1, 2, 0)

    def test_an_annotator_who_contradicts_himself_is_quarantined(self) -> None:
        found = pool([opinion(1, 1, "a"), opinion(2, 0.9, "a")])

        assert [lost.evidence for lost in found.lost] == ["records 1, 2: annotator a says 1 and 0.9"] * 2

    def test_the_least_agreement_is_a_setting(self) -> None:
        records = [opinion(1, 1, "a"), opinion(2, 0.5, "b")]

        assert len(pool(records, min_agreement=0.5).kept) == 1
        assert len(pool(records, min_agreement=0.51).kept) == 0

    def test_an_answer_that_repeats_the_question_teaches_nothing(self) -> None:
        found = pool([opinion(1, 1, answer="what is  SHOWN?"), opinion(2, 1, question="", answer="a door")])

        assert [(lost.number, lost.reason) for lost in found.lost] == [(1, "answer repeats the question")]

    def test_a_reference_that_is_scored_as_wrong_is_quarantined(self) -> None:
        found = pool([opinion(1, 0, answer="A red  door"), opinion(2, 1, answer="a red door")])

        assert [(lost.number, lost.reason) for lost in found.lost] == [(1, "contradicts its references")]

    def test_texts_are_normalised(self) -> None:
        (kept,) = pool([opinion(1, 1, answer="\ufeffcafe\u0301\r\nbar \u200b")]).kept

        assert kept.row.answer == "caf\u00e9\nbar"

    @given(
        st.lists(
            st.builds(
                opinion,
                st.integers(1, 99),
                st.sampled_from([0, 0.25, 0.5, 1]),
                st.sampled_from(["", "a", "b"]),
                answer=st.sampled_from(["a door", "A door", "a red door", "What is shown?", " ", "x"]),
            )
        )
    )
    def test_every_record_is_kept_quarantined_or_a_duplicate(self, records: list[Record]) -> None:
        found = pool(records)

        assert len(records) == found.records == len(found.kept) + found.quarantined + found.duplicates
        assert sum(found.reasons.values()) == len(found.lost)
        assert all(kept.row.score is not None and 0 <= kept.row.score <= 1 for kept in found.kept)
        assert len({(kept.row.question, kept.row.answer) for kept in found.kept}) == len(found.kept)

    @given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
    def test_agreement_is_a_share_and_whole_where_all_say_the_same(self, given_: list[float]) -> None:
        agreement = agreement_of(given_)

        assert agreement is not None
        assert -1e-9 <= agreement <= 1
        assert agreement_of([given_[0]] * len(given_)) == 1


class TestCommand:
    @staticmethod
    def _run(*arguments: object) -> Result:
        return CliRunner().invoke(app, ["surrogate", "import", *map(str, arguments)])

    def test_rows_and_quarantine_are_written_and_counted(self, tmp_path: Path) -> None:
        tasks = [
            task(1, "correct", "correct", answer="a red door"),
            task(2, "correct", answer="a red door"),
            task(3, "wrong", answer="a dog"),
            task(4, answer="a cat"),
        ]
        rows, lost = tmp_path / "rows.jsonl", tmp_path / "lost.jsonl"
        file = write(tmp_path / "export.json", tasks)

        result = self._run(file, "--format", "label-studio", "--output", rows, "--quarantine", lost)

        assert result.exit_code == 0, result.exception
        assert "4 records = 2 rows kept + 1 quarantined + 1 duplicates" in result.stdout
        assert "not rows of their own: 1 x exact duplicate, 1 x not annotated" in result.stdout
        assert "agreement 1.000 over 1 rows" in result.stdout
        read = read_rows(rows)
        assert (read.problems, [(row.answer, row.score) for row in read.rows]) == (
            [], [("a red door", 1.0), ("a dog", 0.0)],
        )  # fmt: skip
        assert json.loads(rows.read_text().splitlines()[0])["annotators"] == 2
        assert [json.loads(line)["record"] for line in lost.read_text().splitlines()] == [2, 4]

    def test_nothing_to_take_is_one_error_and_the_quarantine_says_why(self, tmp_path: Path) -> None:
        rows, lost = tmp_path / "rows.jsonl", tmp_path / "lost.jsonl"
        file = write(tmp_path / "export.json", [task(1)])

        result = self._run(file, "--format", "label-studio", "-o", rows, "--quarantine", lost)

        assert "none of its 1 records can be taken (1 x not annotated)" in str(result.exception)
        assert not rows.exists()
        assert json.loads(lost.read_text())["reason"] == "not annotated"

    @pytest.mark.parametrize("scale", ["5", "5:1", "a:b", "1:1", "0:inf"])
    def test_a_scale_that_is_none_is_refused(self, scale: str, tmp_path: Path) -> None:
        file = write(tmp_path / "export.json", [task(1)])
        outputs = ("-o", tmp_path / "r", "--quarantine", tmp_path / "q")

        result = self._run(file, "--format", "label-studio", *outputs, "--scale", scale)

        assert "is not low:high" in str(result.exception)

    def test_one_file_for_both_is_refused(self, tmp_path: Path) -> None:
        file = write(tmp_path / "export.json", [task(1)])

        result = self._run(file, "--format", "argilla", "-o", tmp_path / "r", "--quarantine", tmp_path / "r")

        assert "Give two files" in str(result.exception)
