#!/usr/bin/env bash
# Makes the replica set and the account of Walkaround, if they are not there. It can be run any number of times.
set -euo pipefail

root="mongodb://root:${MONGO_ROOT_PASSWORD:?}@"
first="${root}mongo1/?directConnection=true&authSource=admin&serverSelectionTimeoutMS=2000"
set="${root}mongo1,mongo2,mongo3/?replicaSet=walkaround&authSource=admin"

for member in mongo1 mongo2 mongo3; do
  until mongosh --quiet "mongodb://$member/?directConnection=true&serverSelectionTimeoutMS=2000" --eval 'db.hello().ok' >/dev/null; do
    echo "waiting for $member"
    sleep 1
  done
done
# The first member listens before it has its account, while it is being set up, but to itself alone.
until mongosh --quiet "$first" --eval 'db.adminCommand({ connectionStatus: 1 }).ok' >/dev/null; do
  echo "waiting for the account of mongo1"
  sleep 1
done

mongosh --quiet "$first" --eval '
  try {
    rs.status();
  } catch (e) {
    if (e.codeName !== "NotYetInitialized") throw e;
    rs.initiate({
      _id: "walkaround",
      members: ["mongo1", "mongo2", "mongo3"].map((host, i) => ({ _id: i, host: host + ":27017" })),
    });
  }'

# Against the whole set: which member is primary is not known.
mongosh --quiet "$set" --eval '
  const store = db.getSiblingDB("walkaround");
  const account = { pwd: process.env.MONGO_PASSWORD, roles: [{ role: "readWrite", db: "walkaround" }] };
  if (store.getUser("walkaround")) store.updateUser("walkaround", account);
  else store.createUser({ user: "walkaround", ...account });'
