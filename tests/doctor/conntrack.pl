#!/usr/bin/perl
# Fills the connection tracking of this network namespace, by netlink: `fill` puts in assured UDP flows until the kernel
# refuses (the limit is one for all namespaces, the count is each one's own), `flush` takes every flow out.
# linux/netfilter/nfnetlink_conntrack.h. Raw numbers, for perl-base has no module for them.
use strict;
use warnings;
use Socket;

my ($NETLINK, $NETFILTER, $NEW, $DELETE) = (16, 12, 0x100, 0x102);
my ($REQUEST, $ACK, $CREATE) = (0x1, 0x4, 0x400);

socket(my $netlink, $NETLINK, SOCK_RAW, $NETFILTER) or die "netlink: $!";
setsockopt($netlink, SOL_SOCKET, SO_RCVBUF, 1 << 20);
bind($netlink, pack('S S L L', $NETLINK, 0, 0, 0)) or die "bind: $!";

sub attribute { my ($type, $data) = @_; return pack('S S a*', 4 + length $data, $type, $data) . "\0" x (-length($data) % 4) }
sub nested { my ($type, @parts) = @_; return attribute($type | 0x8000, join '', @parts) }
sub message {
  my ($type, $flags, $data) = @_;
  return pack('L S S L L C C n', 20 + length $data, $type, $flags, 1, 0, AF_INET, 0, 0) . $data;
}

sub tuple {
  my ($type, $from, $to, $port, $service) = @_;
  return nested($type,
    nested(1, attribute(1, pack 'N', $from), attribute(2, pack 'N', $to)),
    nested(2, attribute(1, pack 'C', 17), attribute(2, pack 'n', $port), attribute(3, pack 'n', $service)));
}

if ($ARGV[0] eq 'flush') {
  send($netlink, message($DELETE, $REQUEST | $ACK, ''), 0) or die "send: $!";
  exit 0;
}
# One flow of each host as a pattern, in which only the port changes, at the places where the pattern has 0xabcd.
my $made = 0;
for my $host (1 .. 64) {
  my ($from, $to) = (0xC6120000 + $host, 0xC6130001);
  # Seen both ways, assured, confirmed: nothing that the kernel would drop early for a newcomer.
  my $flow = message($NEW, $REQUEST | $CREATE, tuple(1, $from, $to, 0xabcd, 9) . tuple(2, $to, $from, 9, 0xabcd)
      . attribute(3, pack 'N', 0xe) . attribute(7, pack 'N', 600));
  my ($first, $second) = (index($flow, "\xab\xcd"), rindex($flow, "\xab\xcd"));
  for (my $start = 1; $start < 65500; $start += 64) {
    my $batch = '';
    for my $port ($start .. $start + 63) {
      substr($flow, $first, 2) = substr($flow, $second, 2) = pack 'n', $port;
      $batch .= $flow;
    }
    send($netlink, $batch, 0) or die "send: $!";
    # Only a refusal is answered: -ENOMEM when the table is full.
    while (defined recv($netlink, my $answer, 8192, 0x40)) {
      my $error = unpack('l', substr $answer, 16, 4);
      if ($error) { exit($error == -12 ? 0 : die "errno $error after $made\n") }
    }
    $made += 64;
  }
}
die "no end after $made\n";
