#include "proxy/admin/config_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/document.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

// Depth is bounded by config::max_depth.
json::value to_json(const config::Value& value) {
    switch (value.kind) {
        case config::Value::Kind::null:
            return nullptr;
        case config::Value::Kind::scalar:
            return json::value(value.text);
        case config::Value::Kind::sequence: {
            json::array items;
            for (const config::ValuePtr& item : value.items)
                items.push_back(to_json(*item));
            return items;
        }
        case config::Value::Kind::map: {
            json::object entries;
            for (const auto& entry : value.entries)
                entries[entry.key] = to_json(*entry.value);
            return entries;
        }
    }
    return nullptr;
}

}  // namespace

std::string config_json(const config::Config& config) {
    const config::Document document = config::parse_document(config::effective_yaml(config));
    return document.root != nullptr ? json::serialize(to_json(*document.root)) : "{}";
}

}  // namespace scrollgate
