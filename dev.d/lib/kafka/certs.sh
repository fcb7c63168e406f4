# A CA of our own and what it signed, kept while valid: PEM files with PKCS#8 keys, so that no keytool is needed.
#
#   ca.pem            the CA                           other-ca.pem     an unrelated CA, which trusts none of this
#   broker.pem        key + certificate of the brokers (localhost, 127.0.0.1)
#   client.pem        key + certificate of a client (User:CN=client); client.key.pem and client.cert.pem apart

CERTS=$KAFKA/certs

make_certificates() {
  certificates_are_good && return
  note "making certificates"
  local new=$CERTS.new
  rm -rf "$new" && mkdir -p "$new" && chmod 700 "$new"
  local log=$new/openssl.log
  {
    authority "$new/ca" "kafkaflow dev CA"
    authority "$new/other-ca" "somebody else's CA"
    signed "$new" broker "/CN=localhost" "subjectAltName=DNS:localhost,IP:127.0.0.1"
    signed "$new" client "/CN=client" "extendedKeyUsage=clientAuth"
    cat "$new/broker.key.pem" "$new/broker.cert.pem" >"$new/broker.pem"
    cat "$new/client.key.pem" "$new/client.cert.pem" >"$new/client.pem"
    # Nothing is ever signed again: a new year, a new CA.
    rm "$new"/{ca,other-ca}.key.pem "$new"/broker.{key,cert}.pem "$new"/*.ext
  } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    die "openssl could not make the certificates"
  }
  rm -rf "$CERTS" && mv "$new" "$CERTS"
}

certificates_are_good() { # and stay so for a day
  local name
  for name in ca other-ca broker client; do
    openssl x509 -in "$CERTS/$name.pem" -noout -checkend 86400 >/dev/null 2>&1 || return 1
  done
}

certificates_id() { sha256sum "$CERTS"/{ca,broker}.pem | sha256sum | cut -c1-16; }

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; } # PKCS#8

authority() { # PATH NAME
  new_key "$1.key.pem" &&
    openssl req -x509 -new -key "$1.key.pem" -sha256 -days 366 -subj "/CN=$2" -out "$1.pem" \
      -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"
}

signed() { # DIR NAME SUBJECT EXTENSION
  local at=$1/$2
  new_key "$at.key.pem" &&
    printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "$4" >"$at.ext" &&
    openssl req -new -key "$at.key.pem" -subj "$3" |
    openssl x509 -req -CA "$1/ca.pem" -CAkey "$1/ca.key.pem" -set_serial "0x$(openssl rand -hex 8)" \
      -sha256 -days 365 -extfile "$at.ext" -out "$at.cert.pem"
}
