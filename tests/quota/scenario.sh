#!/bin/bash
# Small file systems with every kind of quota, on a kernel that has them, and what it answers. As
# root, with e2fsprogs, xfsprogs and quota installed:
#
#   tests/quota/scenario.sh make FOLDER                                mounts FOLDER/ext4, FOLDER/xfs
#   tests/quota/scenario.sh record FOLDER > tests/quota/recorded.txt   the same, and records answers
#
# Users: 1001 over its soft limit, 1002 without a limit, 1003 never counted, 1004 over in files.
# Group 1001 with a limit; project 42 near its own. What the usual tools say stands in comments.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
what=$1 folder=$2

fill() { # USER FILE KIB
    dd if=/dev/zero bs=1K count="$3" status=none | setpriv --reuid="$1" --regid="$1" --clear-groups tee "$2" >/dev/null
}

populate() { # KIND MOUNT
    mkdir "$2/open" "$2/project"
    chmod 1777 "$2/open" "$2/project"
    setquota -u 1001 20480 30720 1000 2000 "$2"
    setquota -u 1004 0 0 3 10 "$2"
    setquota -g 1001 51200 61440 0 0 "$2"
    fill 1001 "$2/open/large" 25600
    fill 1002 "$2/open/free" 512
    for n in 1 2 3 4 5; do fill 1004 "$2/open/file$n" 1; done
    if [ "$1" = ext4 ]; then
        chattr +P -p 42 "$2/project"
        setquota -P 42 10240 15360 0 0 "$2"
    else
        xfs_quota -x -c "project -s -p $2/project 42" -c 'limit -p bsoft=10m bhard=15m 42' "$2" >/dev/null
    fi
    fill 1002 "$2/project/data" 9728
    sync
}

make() { # KIND
    truncate -s 400M "$folder/$1.img"
    mkdir -p "$folder/$1"
    if [ "$1" = ext4 ]; then
        mkfs.ext4 -q -O quota,project "$folder/$1.img"
        mount -o loop,usrquota,grpquota,prjquota "$folder/$1.img" "$folder/$1"
    else
        mkfs.xfs -q "$folder/$1.img"
        mount -o loop,uquota,gquota,pquota "$folder/$1.img" "$folder/$1"
    fi
    populate "$1" "$folder/$1"
}

record() { # KIND
    perl "$here/record.pl" "$1" "$folder/$1" 1001,1002,1003,1004 1001 42
    echo "# repquota: user, used, soft, hard, files, soft, hard"
    repquota -u -n -O csv "$folder/$1" | grep '^#' | awk -F, '{ print "#", $1, $4, $5, $6, $8, $9, $10 }'
    if [ "$1" = xfs ]; then
        echo "# xfs_quota report -p -b -N"
        xfs_quota -x -c 'report -p -b -N' "$folder/$1" | sed -n 's/^#/# #/p'
    fi
    setpriv --reuid=1001 --regid=1001 --clear-groups \
        perl "$here/record.pl" "$1 as 1001" "$folder/$1" 1001,1002 1001 42
    if [ "$1" = ext4 ]; then
        quotaoff -u "$folder/$1" 2>/dev/null || true
        perl "$here/record.pl" "ext4 switched off" "$folder/$1" 1001
    fi
}

for kind in ext4 xfs; do
    make $kind
    if [ "$what" = record ]; then record $kind; fi
done
if [ "$what" = record ]; then perl "$here/record.pl" "without" /dev/shm 1001; fi
