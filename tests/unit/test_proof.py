"""The table of what the canary's tests proved."""

from pathlib import Path

from tests.e2e.proof_tables import cases, interruptions, table

REPORT = """<testsuites><testsuite>
<testcase name="test_a_good_version_is_promoted"><properties>
  <property name="exit" value="0"/><property name="requests" value="100"/>
</properties></testcase>
<testcase name="test_abort_has_everybody_back"><failure/></testcase>
<testcase name="test_the_split[5]"><properties>
  <property name="split" value="[5] of 100"/>
</properties></testcase>
<testcase time="0.004"/>
</testsuite></testsuites>"""


def test_each_case_has_a_line_and_a_failed_one_says_so(tmp_path: Path) -> None:
    """What was not measured is a dash; splits stand below. A run that was ended early leaves half a case."""
    (tmp_path / "a.xml").write_text(REPORT)
    assert table(cases([tmp_path / "a.xml"]))[2:] == [
        "| a good version is promoted | - | 0 | 100 | - | - | - | passed |",
        "| abort has everybody back | - | - | - | - | - | - | FAILED |",
        "",
        "- the split[5]: [5] of 100; passed",
    ]


def test_of_a_case_that_ran_again_the_last_one_counts(tmp_path: Path) -> None:
    """Reports are given oldest first."""
    (tmp_path / "a.xml").write_text(REPORT)
    (tmp_path / "b.xml").write_text(REPORT.replace("<failure/>", ""))
    found = {case.name: case.passed for case in cases([tmp_path / "a.xml", tmp_path / "b.xml"])}
    assert found["abort has everybody back"]


def test_of_interruptions_the_sum_stands_first(tmp_path: Path) -> None:
    """With those that were not mended; one that failed early has no figures."""
    (tmp_path / "a.xml").write_text(
        """<testsuites><testsuite><testcase name="test_pulumi_killed[0.1]"><properties>
        <property name="interrupted at" value="~ a | b"/><property name="left behind" value="2"/>
        <property name="mended by" value="recover, 9 s"/>
        <property name="requests" value="1200"/><property name="failed" value="3"/>
        </properties><failure/></testcase><testcase name="test_disk_full"><error/></testcase>
        </testsuite></testsuites>"""
    )
    first, *_, killed, full = interruptions(cases([tmp_path / "a.xml"]))
    assert first == "2 interruptions, 2 not mended; 1,200 requests, 3 failed."
    assert killed == "| pulumi killed[0.1] | ~ a \\| b | 2 | recover, 9 s | 1200 | 3 | FAILED |"
    assert full == "| disk full | - | - | - | - | - | FAILED |"
