#pragma once

namespace portcullis::port {

/// A network interface of the kernel below a port, by its index.  For what its DPDK driver
/// can not say or do: af_xdp knows no link, af_packet sets none.

/// Whether it is set up and has a carrier.
bool interface_has_link(unsigned index) noexcept;

/// Sets it up or down, as `ip link set` does; the other end of a veth, and of a cable with
/// most drivers, loses its carrier.  Needs CAP_NET_ADMIN.  0, or a negative errno.
int set_interface(unsigned index, bool up) noexcept;

}  // namespace portcullis::port
