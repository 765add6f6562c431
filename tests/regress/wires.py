"""Both sides of a wire, for each driver: what the appliance opens, and what testpmd opens at the far ends."""

import contextlib
import pathlib
import subprocess

ENDS = ("outside", "inside")


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def quiet(link):
    """Nothing but testpmd speaks on it, and frames are as a cable would carry them."""
    with open(f"/proc/sys/net/ipv6/conf/{link}/disable_ipv6", "w") as switch:
        switch.write("1")
    run("ethtool", "-K", link, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off")
    run("ip", "link", "set", link, "up", "promisc", "on")


class Wire:
    """`appliance` has a port for each end; `far` the device arguments of testpmd's ports."""

    def __init__(self, driver, stack, folder):
        self.driver, self.stack, self.folder = driver, stack, folder
        make = getattr(self, driver, None)
        if driver.startswith("_") or make is None:
            raise ValueError(f"driver {driver!r}; there are af_packet, af_xdp, memif and tap")
        self.appliance, self.far = {}, []
        for number, end in enumerate(ENDS):
            device, far = make(number)
            self.appliance[end] = {"device": device, "driver": driver}
            self.far.append(far)

    def veth(self, number):
        near, far = f"pcr{number}", f"pcr{number}far"
        run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        self.stack.callback(subprocess.run, ["ip", "link", "del", near], stderr=subprocess.DEVNULL)
        quiet(near)
        quiet(far)
        return near, far

    def af_packet(self, number):
        near, far = self.veth(number)
        return f"net_af_packet{number},iface={near}", f"net_af_packet{number},iface={far},framecnt=4096"

    def af_xdp(self, number):
        near, far = self.veth(number)
        return f"net_af_xdp{number},iface={near}", f"net_af_packet{number},iface={far},framecnt=4096"

    def tap(self, number):
        return f"net_tap{number},iface=pcr{number}tap", f"net_af_packet{number},iface=pcr{number}tap,framecnt=4096"

    def memif(self, number):
        if number == 0:
            self.reserve_hugepages(256)
        socket = f"socket={self.folder}/memif.sock,socket-abstract=no,id={number},rsize=12"
        return f"net_memif{number},role=server,{socket}", f"net_memif{number},role=client,{socket}"

    def reserve_hugepages(self, count):
        """So many more of 2 MB, until the end."""
        pages = pathlib.Path("/proc/sys/vm/nr_hugepages")
        before = pages.read_text()
        pages.write_text(str(int(before) + count))
        self.stack.callback(pages.write_text, before)

    def appliance_is_up(self):
        """The interfaces that the appliance itself has made want the same quiet."""
        if self.driver == "tap":
            for number in range(len(ENDS)):
                with contextlib.suppress(subprocess.CalledProcessError):
                    quiet(f"pcr{number}tap")
