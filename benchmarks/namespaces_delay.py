"""A long way to the database: every frame arrives later, in both directions.

The kernel's own means, `tc netem`, is missing in many kernels; a TAP device at each end and a process that carries the
frames from one to the other is not.
"""

import ctypes
import fcntl
import multiprocessing
import os
import select
import signal
import struct
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.namespaces_net import BRIDGE, DATABASE, FAR, HOSTS, MTU, SWITCH, address_of, inside, ip
from config.devdb.machine import tied_to_parent

TUN = Path("/dev/net/tun")
# linux/if_tun.h: TUNSETIFF, IFF_TAP | IFF_NO_PI
SET_INTERFACE, TAP = 0x400454CA, 0x0002 | 0x1000
DEVICE = "slow"
LARGEST_FRAME = 65_536
# linux/prctl.h: in nanoseconds, by how much a pause may be longer than asked for; 50 000 where nothing is said.
SET_TIMER_SLACK = 29


@contextmanager
def long_way(*, seconds: float) -> Iterator[None]:
    """By its address in the network FAR the database is so far away, there and back."""
    with inside(SWITCH):
        near = _tap()
    with inside(DATABASE):
        far = _tap()
        # Only the end of the long way answers for the address there.
        Path("/proc/sys/net/ipv4/conf/all/arp_ignore").write_text("1")
    ip("link", "set", DEVICE, "mtu", MTU, "master", BRIDGE, "up", host=SWITCH)
    ip("link", "set", DEVICE, "mtu", MTU, "up", host=DATABASE)
    for name in HOSTS:
        device = DEVICE if name == DATABASE else "eth0"
        ip("address", "add", f"{address_of(name, network=FAR)}/24", "dev", device, host=name)
    told = (tied_to_parent(signal.SIGKILL), near, far, seconds / 2)
    carrier = multiprocessing.get_context("fork").Process(target=_carry, args=told, daemon=True)
    carrier.start()
    try:
        yield
    finally:
        carrier.terminate()
        carrier.join()
        for end in (near, far):
            os.close(end)


def _tap() -> int:
    """A new TAP device in the network of this thread; it is there as long as the file is open."""
    device = os.open(TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH22x", DEVICE.encode(), TAP))
    return device


def _carry(tie: Callable[[], None], near: int, far: int, delay: float) -> None:
    """Hand over each frame at the other end `delay` seconds later, to the end of the process."""
    tie()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # our parent decides when it is over
    # It does little, but on time, however busy the machine is.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    ctypes.CDLL(None).prctl(SET_TIMER_SLACK, 1)
    other = {near: far, far: near}
    underway: deque[tuple[float, int, bytes]] = deque()
    while True:
        while underway and underway[0][0] <= time.perf_counter():
            _at, end, frame = underway.popleft()
            os.write(end, frame)
        pause = max(0.0, underway[0][0] - time.perf_counter()) if underway else None
        for end in select.select(other, (), (), pause)[0]:
            underway.append((time.perf_counter() + delay, other[end], os.read(end, LARGEST_FRAME)))
