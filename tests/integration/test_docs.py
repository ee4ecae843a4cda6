# SPDX-License-Identifier: Apache-2.0
"""The man page and the bash completion as their users meet them, and as `make install` puts them in place."""

import shutil
import subprocess

from support.case import Case
from support.servers import TOP

MAN_PAGE = TOP / "docs/remora.1"
COMPLETION = TOP / "docs/remora.bash"


class ManPage(Case):
    def test_its_readers_find_nothing_wrong(self):
        readers = [["mandoc", "-Tlint", MAN_PAGE], ["groff", "-man", "-ww", "-z", MAN_PAGE],
                   ["man", "--warnings=w", "--local-file", MAN_PAGE]]
        here = [words for words in readers if shutil.which(words[0])]
        if not here:
            self.skipTest("none of mandoc, groff and man is here")
        for words in here:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            self.assertEqual("", done.stderr, words)
            if words[0] == "mandoc":
                self.assertEqual("", done.stdout, words)


class Completion(Case):
    def complete(self, *words, cwd=None):
        """What is offered for the last of the words, which bash has split already."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _remora; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-u", "-c", script, "bash", COMPLETION, "remora", *words], capture_output=True,
                              text=True, check=True, cwd=cwd)
        self.assertEqual("", done.stderr)
        return done.stdout.split("\n")[:-1] if done.stdout != "\n" else []

    def test_bash_takes_it(self):
        done = subprocess.run(["bash", "-n", COMPLETION], capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        done = subprocess.run(["bash", "-c", f"source '{COMPLETION}'; complete -p remora"], capture_output=True,
                              text=True, check=True)
        self.assertIn("-F _remora remora", done.stdout)

    def test_commands(self):
        self.assertEqual({"init", "backup", "restore", "check", "help"}, {"init", "backup", "restore", "check", "help"}
                         & set(self.complete("")))
        self.assertEqual(["backup"], self.complete("ba"))
        self.assertEqual(["backup"], self.complete("--repo", "/somewhere", "ba"))
        self.assertEqual(["backup"], self.complete("--repo", "=", "/somewhere", "--json", "ba"))
        self.assertEqual(["backup"], self.complete("--redis-url", "redis", ":", "//host", ":", "6379", "ba"))
        self.assertEqual(["verify", "version"], self.complete("help", "ve"))
        self.assertEqual(["latest"], self.complete("show", ""))

    def test_options_of_the_command(self):
        self.assertIn("--data-dir", self.complete("backup", "--"))
        self.assertNotIn("--target", self.complete("backup", "--"))
        self.assertNotIn("--data-dir", self.complete("--"))
        self.assertEqual(["--method"], self.complete("backup", "--meth"))
        self.assertEqual(["--method"], self.complete("backup", "--tag", "a", "=", "b", "--meth"))

    def test_values(self):
        self.assertEqual(["text", "json"], self.complete("--log-format", ""))
        self.assertEqual(["json"], self.complete("--log-format", "=", "j"))
        self.assertEqual(["text", "json"], self.complete("--log-format", "="))
        self.assertEqual(["latest"], self.complete("restore", "--backup", "la"))
        self.assertEqual([], self.complete("backup", "--level", ""))

    def test_names_of_files_and_folders(self):
        (self.folder / "a folder").mkdir()
        (self.folder / "a file").write_text("")
        self.assertEqual(["a folder"], self.complete("restore", "--appendonly", "no", "--target", "a", cwd=self.folder))
        self.assertEqual(["a folder"], self.complete("--repo", "a", cwd=self.folder))
        self.assertEqual(["a file", "a folder"], sorted(self.complete("backup", "--rdb-file", "a", cwd=self.folder)))
        self.assertEqual(["a file", "a folder"],
                         sorted(self.complete("--redis-password-file", "a", cwd=self.folder)))
