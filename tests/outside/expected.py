"""What each capture of ../shared/captures/outside must lead to, where that is not simply: everything passes, and
the streams are those of oracles/streams.tsv.  The words are those of its index.md, decided by our policies."""

from dataclasses import dataclass, field


@dataclass
class Expected:
    drops: dict = field(default_factory=dict)    # exactly these
    notices: dict = field(default_factory=dict)  # at least these, exactly so many
    unread: set = field(default_factory=set)     # clients whose streams are not read, and why they are not:
    why: str = ""
    flows: int = None


all_of_them = {
    "ip/pp-frag_http_req.pcap": Expected(
        notices={"ip_fragment": 11}, unread={"172.16.133.54:64415"}, why="older than we are", flows=0),
    "ip/sv-frag-eth-vlan-ip-tcp-syn.pcap": Expected(notices={"ip_fragment": 3}, flows=0),
    "ip/pp-frag_with_padding.pcap": Expected(notices={"ip_fragment": 8}, flows=0),
    "ip/pp-ip4_fragments.pcap": Expected(notices={"ip_fragment": 50}, flows=0),
    "ip/pp-ip6_fragments.pcap": Expected(notices={"ip_fragment": 36}, flows=0),
    "ip/sv-ipv4frags.pcap": Expected(notices={"ip_fragment": 2}, flows=0),
    "ip/sv-ipv6-frag-1.pcap": Expected({"fragment": 2}, notices={"ip_fragment": 4}, flows=0),
    "ip/sv-ipv6-frag-26.pcap": Expected({"truncated": 1}, flows=0),
    "ip/sv-ipv6-covert-dstopts.pcap": Expected(notices={"ip_options": 18}, flows=0),

    "link/pp-llc_vlan.pcap": Expected(notices={"not_ip": 1}, flows=0),
    "link/sv-etag.pcap": Expected(notices={"not_ip": 1}, flows=0),
    "link/sv-too-many-layers.pcap": Expected(notices={"not_ip": 1}, flows=0),
    "link/sv-vntag.pcap": Expected(notices={"not_ip": 5}, flows=0),

    "tcp/ak-tcpseq_synthetic.pcap": Expected(
        unread={"30.0.0.0:0"}, why="port 0 is no service", flows=5),
    "tcp/pp-one_tcp_stream.pcap": Expected(notices={"keepalive_garbage": 1}, flows=1),
    "tcp/pp-one_tcp_stream_max_seq.pcap": Expected(notices={"keepalive_garbage": 1}, flows=1),
    "tcp/pp-unidirectional_tcp_stream_with_missing_packet.pcap": Expected(
        unread={"10.0.0.1:61541"}, why="no handshake without a server", flows=0),
    "tcp/sv-async-client-only.pcap": Expected(
        unread={"127.0.0.1:50215"}, why="no handshake without a server", flows=0),
    "tcp/sv-async-oneside.pcap": Expected(
        unread={"192.168.10.31:49285"}, why="no handshake without a server", flows=0),
    # Its SYN/ACK and what it says after it complete a handshake by the server's word.
    "tcp/sv-async-server-only.pcap": Expected(flows=1),
    "tcp/sv-midstream.pcap": Expected(
        notices={"midstream_flow": 1}, unread={"10.16.1.11:54186"}, why="older than we are", flows=1),
    "tcp/sv-start-from-response.pcap": Expected(
        notices={"midstream_flow": 1}, unread={"172.16.9.181:38498"}, why="older than we are", flows=1),
    "tcp/sv-out-of-window.pcap": Expected({"out_of_window": 1}, flows=1),
    "tcp/sv-retrans-of-drop.pcap": Expected(notices={"retransmission": 1}, flows=1),
    "tcp/sv-split-handshake-5whs.pcap": Expected(flows=1),
    "tcp/sv-syn-flood.pcap": Expected(flows=0),
    "tcp/sv-tcp-exact-overlap.pcap": Expected({"conflicting_overlap": 1}, flows=1),
    "tcp/sv-tcp-partial-overlap.pcap": Expected({"conflicting_overlap": 1}, flows=1),
    "tcp/sv-tcp-opt-invalid.pcap": Expected(flows=0),
    "tcp/sv-urgent-1byte.pcap": Expected({"urgent": 1}, {"urgent": 1}, flows=1),
    "tcp/sv-urgent-2byte.pcap": Expected({"urgent": 1}, {"urgent": 1}, flows=1),
}
