#!/bin/sh
# Makes the files that compose.yml and deploy/stack.yml mount as secrets, each once: what is there stays as it is.
#   sh deploy/make_secrets.sh [directory, usually secrets]
# Three stay empty for you to fill: stripe_secret_key, stripe_webhook_secret, email_url.
# The directory is for its owner alone; inside containers the product, which is not root, must be able to read the files.
set -eu
directory=${1:-secrets}
umask 077
mkdir -p "$directory"
cd "$directory"

random() { head -c 48 /dev/urandom | base64 | tr -d '/+=\n'; }
keep() {
    [ -e "$1" ] || printf '%s\n' "$2" > "$1"
    chmod 444 "$1"
}

for name in secret_key jwt_secret database_password redis_password metrics_token alert_webhook_secret; do
    keep "$name" "$(random)"
done
keep database_url "postgres://app:$(cat database_password)@db/app"
keep redis_url "redis://:$(cat redis_password)@redis:6379/0"
for name in stripe_secret_key stripe_webhook_secret email_url; do
    keep "$name" ""
    [ -n "$(cat "$name")" ] || echo "Fill in $directory/$name (chmod u+w first, unless you are root)."
done
