#!/bin/sh
# A program in a network of its own: own_network.sh NAMESERVER FOLDER PROGRAM ARGUMENT.., started by
# `unshare --map-root-user --mount --net sh`.
#
# The network is this machine alone, and has addresses of every kind, one public one among them. Names are asked for at
# NAMESERVER, an address of loopback. Nothing outside of it is changed.

set -e
nameserver=$1 folder=$2
shift 2
ip link set lo up
for address in \
  93.184.216.34 169.254.169.254 10.0.0.1 172.16.0.1 192.168.0.1 100.64.0.1 198.18.0.1 192.0.2.1 \
  fe80::1 fd00:ec2::254 64:ff9b::7f00:1 2002:7f00:1:: 2001:db8::1
do
  ip address add "$address" dev lo
done
echo "nameserver $nameserver" >"$folder/resolv.conf"
echo "hosts: files dns" >"$folder/nsswitch.conf"
echo "127.0.0.1 localhost" >"$folder/hosts"
for file in resolv.conf nsswitch.conf hosts
do
  mount --bind "$folder/$file" "/etc/$file"
done
exec "$@"
