"""A headless Chromium, driven over DevTools' pipe: JSON messages, each ended by a NUL, on file descriptors 3 and 4."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
_TIMEOUT_S = 60.0
_FLAGS = (
    '--headless',
    '--no-sandbox',  # tests may run as root, in a container
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--no-first-run',
    '--disable-background-networking',
    '--force-color-profile=srgb',
    '--remote-debugging-pipe',
)


def find_browser() -> str | None:
    """Path of the browser, or ``None`` if there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class HeadlessBrowser:
    """One browser with one page, as a context manager.

    Args:
        executable: See :func:`find_browser`.
        width: Of the window in pixels.
        height: Likewise.
        preferences: Media features, e.g. ``{'prefers-color-scheme': 'dark'}``.
        scripts: Whether pages may run scripts.
    """

    def __init__(
        self,
        executable: str,
        width: int = 1200,
        height: int = 900,
        preferences: Mapping[str, str] | None = None,
        scripts: bool = True,
    ) -> None:
        self.executable = executable
        self.size = (width, height)
        self.preferences = dict(preferences or {})
        self.scripts = scripts
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._rest = b''
        self._session: str | None = None

    def __enter__(self) -> HeadlessBrowser:
        """Start the browser and open an empty page."""
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        their_input, self._input = os.pipe()
        self._output, their_output = os.pipe()
        self._process = subprocess.Popen(
            [self.executable, *_FLAGS, f'--user-data-dir={self._profile.name}', 'about:blank'],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            close_fds=False,
            start_new_session=True,
            preexec_fn=lambda: _place(their_input, their_output),
        )
        os.close(their_input)
        os.close(their_output)
        target = self.send('Target.createTarget', url='about:blank')['targetId']
        self._session = self.send('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.send(f'{domain}.enable')
        width, height = self.size
        self.send('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{'name': name, 'value': value} for name, value in self.preferences.items()]
        self.send('Emulation.setEmulatedMedia', features=features)
        self.send('Emulation.setScriptExecutionDisabled', value=not self.scripts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser and all its processes, and remove its profile."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for end in (self._input, self._output):
            os.close(end)
        self._profile.cleanup()

    def open(self, path: Path) -> None:
        """Load a file and wait until it is there."""
        self.complaints.clear()
        self.requests.clear()
        self.send('Page.navigate', url=path.resolve().as_uri())
        self._wait_for('Page.loadEventFired')

    def run(self, expression: str) -> Any:
        """The JSON value of an expression in the page."""
        done = self.send('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in done:
            raise RuntimeError(json.dumps(done['exceptionDetails']))
        return done['result'].get('value')

    def click(self, selector: str) -> None:
        """Click where a user would: the middle of the element."""
        middle = (
            f'(() => {{ const e = document.querySelector({json.dumps(selector)}); '
            'e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); '
            'return [r.x + r.width / 2, r.y + r.height / 2]; })()'
        )
        x, y = self.run(middle)
        for kind in ('mousePressed', 'mouseReleased'):
            self.send('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def press(self, key: str, text: str = '') -> None:
        """Press and release a key on whatever has the focus."""
        self.send('Input.dispatchKeyEvent', type='keyDown', key=key, text=text)
        self.send('Input.dispatchKeyEvent', type='keyUp', key=key)

    def screenshot(self) -> bytes:
        """PNG of the whole page."""
        return self._bytes('Page.captureScreenshot', format='png', captureBeyondViewport=True)

    def print_pdf(self) -> bytes:
        """The page as it prints."""
        return self._bytes('Page.printToPDF', preferCSSPageSize=True)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; complaints and requests that come meanwhile are kept."""
        self._number += 1
        message: dict[str, Any] = {'id': self._number, 'method': method, 'params': parameters}
        if self._session:
            message['sessionId'] = self._session
        os.write(self._input, json.dumps(message).encode() + b'\0')
        answer = self._wait(lambda received: received.get('id') == message['id'])
        if 'error' in answer:
            raise RuntimeError(f'{method}: {answer["error"]}')
        return dict(answer['result'])

    def _bytes(self, method: str, **parameters: Any) -> bytes:
        return base64.b64decode(self.send(method, **parameters)['data'])

    def _wait_for(self, event: str) -> None:
        self._wait(lambda received: received.get('method') == event)

    def _wait(self, fits: Any) -> dict[str, Any]:
        deadline = time.monotonic() + _TIMEOUT_S
        while True:
            while b'\0' not in self._rest:
                ready, _, _ = select.select([self._output], [], [], max(0.0, deadline - time.monotonic()))
                received = os.read(self._output, 1 << 20) if ready else b''
                if not received:
                    raise TimeoutError('the browser does not answer')
                self._rest += received
            line, _, self._rest = self._rest.partition(b'\0')
            message = json.loads(line)
            self._note(message)
            if fits(message):
                return dict(message)

    def _note(self, message: Mapping[str, Any]) -> None:
        method, said = message.get('method'), message.get('params', {})
        if method == 'Runtime.exceptionThrown':
            self.complaints.append(json.dumps(said['exceptionDetails']))
        elif method == 'Runtime.consoleAPICalled' and said['type'] in ('error', 'warning', 'assert'):
            self.complaints.append(json.dumps(said['args']))
        elif method == 'Log.entryAdded':
            self.complaints.append(f'{said["entry"]["level"]}: {said["entry"]["text"]}')
        elif method == 'Network.requestWillBeSent':
            self.requests.append(said['request']['url'])


def _place(their_input: int, their_output: int) -> None:
    """In the browser's process: its ends of the pipes at 3 and 4, whatever they are now."""
    spare = [os.dup2(end, 60 + i) for i, end in enumerate((their_input, their_output))]
    for end, place in zip(spare, (3, 4), strict=True):
        os.dup2(end, place)
