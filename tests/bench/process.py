"""One worker process: asked over its standard input, stopped while another one is timed."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile

PRIORITY = 5
DIE_WITH_US = ["setpriv", "--pdeathsig", "KILL"]


def prefer_self():
    """Before the workers, not for processes that it starts: the process that asks must not wait either."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
                              os.sched_param(PRIORITY + 1))
    except PermissionError:
        pass


class Failed(Exception):
    """The worker did not do what it was asked; the text says why."""


class Worker:
    def __init__(self, engine, arguments):
        self.engine = engine
        self.errors = tempfile.TemporaryFile("w+")
        # A worker that is stopped would outlive us otherwise.
        self.process = subprocess.Popen([*DIE_WITH_US, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        raise Failed(f"exit code {self.process.returncode}: " + " / ".join(lines[-2:])[:300])

    def ask(self, question):
        with contextlib.suppress(BrokenPipeError):  # read() says why
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        return self.read()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def run(self, count):
        """Inferences while no other engine of the comparison runs."""
        self.go_on()
        answer = self.ask(f"run {count}")
        self.stop()
        return answer

    def prefer(self):
        """Before all ordinary processes of the machine; False where that is not allowed."""
        try:
            for task in os.listdir(f"/proc/{self.process.pid}/task"):
                os.sched_setscheduler(int(task), os.SCHED_FIFO, os.sched_param(PRIORITY))
        except PermissionError:
            return False
        return True

    def close(self):
        self.go_on()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()
