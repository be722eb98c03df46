#!/usr/bin/perl
# Records what a kernel answers to questions about quotas, as lines that the tests read again.
#
#   record.pl NAME FOLDER [USER,...] [GROUP,...] [PROJECT,...]
#
# Prints `[NAME]`, then one line a question: `call counter id = bytes in hex`, or `= errno N`.
# tests/quota/scenario.sh makes the file systems and calls this; it needs a kernel that has quotas.
use strict;
use warnings;
use Fcntl;

my ($name, $folder, @ids) = @ARGV;
use constant QUOTACTL_FD => 443;
my $xfs = ord('X') << 8;
# Name, command, length of the answer, first byte of the question.
my @state = ('state', $xfs + 8, 160, "\x01");
my @info = ('info', 0x800005, 24, "\0");
my @one = (['quota', 0x800007, 72, "\0"], ['xfs-quota', $xfs + 3, 112, "\0"]);
my @next = (['next-quota', 0x800009, 72, "\0"], ['xfs-next-quota', $xfs + 9, 112, "\0"]);
my @counters = ('user', 'group', 'project');

sysopen(my $on, $folder, O_RDONLY | 0200000) or die "$folder: $!\n";

sub ask {
    my ($call, $command, $length, $first, $counter, $id) = @_;
    my $room = $first . "\0" x ($length - 1);
    my $answer = syscall(QUOTACTL_FD, fileno($on), ($command << 8) | $counter, 0 + $id, $room);
    my $said = $answer == 0 ? unpack('H*', $room) : 'errno ' . ($! + 0);
    print "$call $counters[$counter] $id = $said\n";
    return $answer == 0 ? $room : undef;
}

print "[$name]\n";
ask(@state, 0, 0);
for my $counter (0 .. 2) {
    ask(@info, $counter, 0);
    for my $id (split /,/, $ids[$counter] // '') {
        ask(@$_, $counter, $id) for @one;
    }
}
for my $call (@next) {
    my $from = 0;
    while (defined(my $room = ask(@$call, 0, $from))) {
        $from = 1 + unpack('L', substr($room, $call->[0] eq 'next-quota' ? 68 : 4, 4));
    }
}
