# Apache Kafka as jars from Maven, resolved once for each version.

jars() { echo "$KAFKA/lib-$1"; }

resolve_jars() {
  local version=$1 lib
  lib=$(jars "$version")
  [[ -f $lib/.complete ]] && return
  note "resolving Apache Kafka $version with Maven"
  local log=$KAFKA/maven-$version.log profile=()
  [[ $version == 3.* ]] || profile=(-Plog4j2)
  # Into a directory of another name first: whatever is called lib-VERSION is whole.
  rm -rf "$lib" "$lib.new"
  if ! mvn -q -B -f "$ROOT/dev.d/lib/kafka/pom.xml" "${profile[@]}" dependency:copy-dependencies \
    -Dkafka.version="$version" -DoutputDirectory="$lib.new" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    die "Maven could not bring Apache Kafka $version"
  fi
  [[ -f $lib.new/kafka_2.13-$version.jar ]] || die "Maven ended well but brought no kafka_2.13-$version.jar, see $log"
  touch "$lib.new/.complete"
  mv "$lib.new" "$lib"
}

# java_tool VERSION CLASS ARGS…: something short, so the quick compiler and no more.
java_tool() {
  local version=$1 class=$2 options
  shift 2
  mapfile -t options < <(log_options "$version" WARN)
  "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -Xmx512m "${options[@]}" \
    -cp "$(jars "$version")/*" "$class" "$@"
}

log_options() { # VERSION LEVEL -> JVM options, one a line
  local conf=$ROOT/dev.d/lib/kafka
  case $1 in
    3.*) echo "-Dlog4j.configuration=file:$conf/log4j.properties" ;;
    *) echo "-Dlog4j2.configurationFile=$conf/log4j2.properties" ;;
  esac
  echo "-Dkafkaflow.log=$2"
}
