#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <map>
#include <mutex>

#include "storage/prompt_store.h"

namespace rw::api::test {

/// Prompt storage with its own idea of audio: what begins with "audio". Pages of two. 15 bytes are too many.
class MemoryStore final : public storage::PromptStore {
  template <class T>
  using Stored = storage::StoreResult<T>;
  using Kind = storage::StoreError::Kind;
  static tl::unexpected<storage::StoreError> refuse(Kind kind) {
    return tl::unexpected(storage::StoreError{kind, "refused"});
  }

 public:
  ~MemoryStore() override {
    for (const auto& [key, path] : files_) ::unlink(path.c_str());
  }

  Stored<std::unique_ptr<storage::PromptUpload>> begin(const std::string& domain, const std::string& name,
                                                       storage::UploadKind) override {
    return std::make_unique<Upload>(*this, std::pair(domain, name));
  }

  Stored<storage::StoredPrompt> find(const std::string& domain, const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find({domain, name});
    if (found == files_.end()) return refuse(Kind::not_found);
    return prompt(found->first.second, found->second);
  }

  Stored<void> remove(const std::string& domain, const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find({domain, name});
    if (found == files_.end()) return refuse(Kind::not_found);
    ::unlink(found->second.c_str());
    files_.erase(found);
    return {};
  }

  Stored<Page> list(const std::string& domain, const std::string& next) override {
    const std::lock_guard lock(mutex_);
    Page page;
    for (const auto& [key, path] : files_) {
      if (key.first != domain || key.second <= next) continue;
      if (page.prompts.size() == 2) {
        page.next = page.prompts.back().name;
        break;
      }
      page.prompts.push_back(prompt(key.second, path));
    }
    return page;
  }

 private:
  using Key = std::pair<std::string, std::string>;

  class Upload final : public storage::PromptUpload {
   public:
    Upload(MemoryStore& store, Key key) : store_(store), key_(std::move(key)) {}
    Stored<void> write(std::span<const char> bytes) override {
      content_.append(bytes.data(), bytes.size());
      if (content_.size() >= 15) return refuse(Kind::too_large);
      return {};
    }
    Stored<storage::StoredPrompt> commit() override {
      if (!content_.starts_with("audio")) return refuse(Kind::not_audio);
      char path[] = "/tmp/ringwright-prompt-XXXXXX";
      const int file = mkstemp(path);
      if (::write(file, content_.data(), content_.size()) < 0) return refuse(Kind::storage);
      ::close(file);
      const std::lock_guard lock(store_.mutex_);
      store_.files_[key_] = path;
      return store_.prompt(key_.second, path);
    }

   private:
    MemoryStore& store_;
    Key key_;
    std::string content_;
  };

  static storage::StoredPrompt prompt(const std::string& name, const std::string& path) {
    storage::StoredPrompt made{name, 12, "audio/wav", "tag", path};
    return made;
  }

  std::mutex mutex_;
  std::map<Key, std::string> files_;
};

}  // namespace rw::api::test
