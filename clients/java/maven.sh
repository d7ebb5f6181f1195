# Sourced: hito_mvn runs Maven without network, from what Debian has in /usr/share/maven-repo.
# shellcheck shell=bash
build=$REPO/.build-clients/java
mkdir -p "$build"
# shellcheck disable=SC2034 # It is for those who source this.
protobuf=$build/repository/com/google/protobuf/protobuf-java/3.21.12/protobuf-java-3.21.12.jar

# Files of a repository are let through while Maven is offline; what it takes is copied to a local one.
# It has no checksums: its packages were checked when they were installed.
cat > "$build/settings.xml" <<'XML'
<settings>
  <profiles>
    <profile>
      <id>debian</id>
      <repositories>
        <repository>
          <id>central</id>
          <url>file:///usr/share/maven-repo</url>
          <releases><checksumPolicy>ignore</checksumPolicy></releases>
          <snapshots><enabled>false</enabled></snapshots>
        </repository>
      </repositories>
      <pluginRepositories>
        <pluginRepository>
          <id>central</id>
          <url>file:///usr/share/maven-repo</url>
          <releases><checksumPolicy>ignore</checksumPolicy></releases>
          <snapshots><enabled>false</enabled></snapshots>
        </pluginRepository>
      </pluginRepositories>
    </profile>
  </profiles>
  <activeProfiles>
    <activeProfile>debian</activeProfile>
  </activeProfiles>
</settings>
XML

# plugin_version NAME: the one that this Debian has.
plugin_version() {
  find "/usr/share/maven-repo/org/apache/maven/plugins/maven-$1-plugin" -name "*.jar" -printf '%h\n' \
    | sed 's|.*/||' | sort --version-sort | tail -n 1
}

hito_mvn() {
  local plugin versions=()
  for plugin in compiler resources jar surefire; do
    versions+=("-D$plugin.plugin.version=$(plugin_version "$plugin")")
  done
  # Warnings, and what tests print, but not its progress.
  MAVEN_OPTS="-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -XX:+UseSerialGC -XX:TieredStopAtLevel=1" \
    mvn --offline --batch-mode --no-snapshot-updates \
    --settings "$build/settings.xml" --file "$REPO/clients/java/pom.xml" \
    --activate-profiles offline-debian \
    -Dstyle.color=never -Dmaven.repo.local="$build/repository" -Daether.offline.protocols=file \
    "${versions[@]}" "$@" | sed 's/\x1b\[[0-9;]*m//g'
}
