#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/provisioning.h"
#include "app/toml_reader.h"

/// What stands in a configuration file about domains, as JSON: the members have the same names in both.
namespace rw::app {

using Document = boost::json::object;
using Kind = api::ProvisionedKind;

/// How each kind is named, and which of its members are special.
struct KindNames {
  Kind kind;
  std::string_view name;                  ///< in paths, answers and the database
  std::string_view list;                  ///< in answers, and in a domain
  std::string_view id;                    ///< the member that names it
  std::vector<std::string_view> secrets;  ///< never told
  std::vector<std::string_view> urls;     ///< whose users and passwords are never told
  std::vector<std::string_view> files;    ///< in the file they name files, here they are what is in them
};
const KindNames& names_of(Kind kind);
/// The kinds inside a domain.
inline constexpr std::array inner_kinds{Kind::trunk, Kind::device, Kind::mediaservice};

/// A domain of the file, with its trunks, devices and mediaservices.
Document domain_document(const toml::table& table);
/// The same with what its references to files and the environment lead to. Those have been checked.
Document self_contained(Document domain);
/// For TomlReader. null is left out.
toml::table to_toml(const Document& document);

/// What stands for a secret that is set.
inline constexpr std::string_view mask = "***";
/// Without what may not be told.
Document masked(Kind kind, Document document);
/// Puts the secrets of `old` where `document` has masks. The path of a mask that stands for nothing, or nothing.
std::string unmask(Kind kind, Document& document, const Document* old);

}  // namespace rw::app
