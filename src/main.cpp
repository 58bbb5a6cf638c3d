#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "app/config.h"
#include "app/server.h"
#include "recording/decrypt.h"

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
  return rw::app::serve(std::move(*config), file);
}

int check_config(const std::string& file) {
  const auto config = rw::app::Config::load(file);
  if (!config) return report(config.error());
  std::cout << file << ": ok\n";
  return 0;
}

int decrypt_recording(const std::string& key, const std::string& in, const std::string& out) {
  const auto decrypted = rw::recording::decrypt_file(key, in, out);
  if (!decrypted) return report(decrypted.error());
  if (decrypted->empty()) return 0;
  std::cerr << *decrypted << "; what is before that has been written to " << out << '\n';
  return 1;
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
  std::string key;
  std::string in;
  std::string out;
  auto* decrypt_command =
      app.add_subcommand("decrypt-recording", "Decrypt a recording that was encrypted for a domain's public key");
  decrypt_command->add_option("--key", key, "The private key (RSA, PEM, without a pass phrase)")->required();
  decrypt_command->add_option("in", in, "The encrypted recording")->required();
  decrypt_command->add_option("out", out, "The file to be written; must not exist")->required();
  CLI11_PARSE(app, argc, argv);
  if (version_command->parsed()) {
    std::cout << "ringwright " << RINGWRIGHT_VERSION << '\n';
    return 0;
  }
  if (decrypt_command->parsed()) return decrypt_recording(key, in, out);
  return check_command->parsed() ? check_config(file) : serve(file);
}
