# Apache Kafka's own command-line tools, in the version of the cluster's brokers.

# tool_class NAME VERSION: as the scripts kafka-NAME.sh of the distribution are called; `groups` is kafka-consumer-groups.
tool_class() {
  local tools=org.apache.kafka.tools
  local moved_admin=$tools moved_tools=$tools # what Kafka 4 moved out of the core jar
  [[ $2 != 3.* ]] || moved_admin=kafka.admin moved_tools=kafka.tools
  case $1 in
    topics) echo $tools.TopicCommand ;;
    configs) echo kafka.admin.ConfigCommand ;;
    acls) echo $moved_admin.AclCommand ;;
    groups) echo $tools.consumer.group.ConsumerGroupCommand ;;
    reassign) echo $tools.reassign.ReassignPartitionsCommand ;;
    leader-election) echo $tools.LeaderElectionCommand ;;
    get-offsets) echo $tools.GetOffsetShell ;;
    delete-records) echo $tools.DeleteRecordsCommand ;;
    log-dirs) echo $tools.LogDirsCommand ;;
    features) echo $tools.FeatureCommand ;;
    metadata-quorum) echo $tools.MetadataQuorumCommand ;;
    transactions) echo $tools.TransactionsCommand ;;
    broker-api-versions) echo $moved_admin.BrokerApiVersionsCommand ;;
    console-producer) echo $moved_tools.ConsoleProducer ;;
    console-consumer) echo $tools.consumer.ConsoleConsumer ;;
    producer-perf-test) echo $tools.ProducerPerformance ;;
    consumer-perf-test) echo $tools.ConsumerPerformance ;;
    dump-log) echo $moved_tools.DumpLogSegments ;;
    *.*) echo "$1" ;; # any other class of the jars
    *) return 1 ;;
  esac
}

# run_tool NAME ARGS…
run_tool() {
  local name=${1:-} version class arg bootstrap=()
  (($#)) && shift
  version=$(recorded 1 version)
  [[ -n $version && -f $(jars "$version")/.complete ]] || die "cluster '$CLUSTER' was never started: ./dev kafka start --cluster $CLUSTER"
  class=$(tool_class "$name" "$version") ||
    usage_error "no tool '$name'; there are: $(sed -n 's/^    \([a-z-]*\)) echo.*/\1/p' dev.d/lib/kafka/tool.sh | paste -sd' ')"
  case $name in
    dump-log | *.*) ;;
    *) bootstrap=(--bootstrap-server "$(endpoints PLAINTEXT)") ;;
  esac
  [[ $name != producer-perf-test || $version != 3.* ]] || bootstrap=() # has only --producer-props bootstrap.servers=…
  for arg in "$@"; do
    case $arg in
      --bootstrap-server | --bootstrap-server=* | --bootstrap-controller | --bootstrap-controller=* | --help) bootstrap=() ;;
    esac
  done
  cd "$CALLER" || exit 1 # paths among the arguments are the caller's
  java_tool "$version" "$class" "${bootstrap[@]}" "$@"
}
