#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "app/config.h"
#include "app/server.h"

namespace {

/// Prints what is wrong with a configuration, one line per finding. Returns the exit code.
int report(const rw::Error& error) {
  std::cerr << error.message << '\n';
  return 2;
}

rw::Result<rw::app::Config> configuration(const std::string& file) {
  return file.empty() ? rw::Result<rw::app::Config>(rw::app::Config::embedded_default()) : rw::app::Config::load(file);
}

int serve(const std::string& file) {
  auto config = configuration(file);
  if (!config) return report(config.error());
  return rw::app::serve(std::move(*config));
}

int check_config(const std::string& file) {
  const auto config = rw::app::Config::load(file);
  if (!config) return report(config.error());
  std::cout << file << ": ok\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Ringwright: answers and places phone calls, and asks your application what to do with them.");
  app.require_subcommand(1);
  std::string file;
  auto* serve_command = app.add_subcommand("serve", "Run the server in the foreground");
  serve_command->add_option("--config", file,
                            "Configuration file (TOML); without it: loopback only, with the demo application");
  auto* check_command = app.add_subcommand("check-config", "Check a configuration file and say what is wrong");
  check_command->add_option("file", file, "Configuration file")->required();
  auto* version_command = app.add_subcommand("version", "Print the version");
  CLI11_PARSE(app, argc, argv);
  if (version_command->parsed()) {
    std::cout << "ringwright " << RINGWRIGHT_VERSION << '\n';
    return 0;
  }
  return check_command->parsed() ? check_config(file) : serve(file);
}
