// Bounds of the tier in Redis, beside those of core/limits.hpp, whose terms they are in.
#pragma once

#include "core/limits.hpp"

namespace scrollgate::limits {

inline constexpr std::size_t tier_log = 16 * 1024;        ///< purges that its log keeps, about
inline constexpr std::size_t tier_positions = 16 * 1024;  ///< of them that a node can compare with
inline constexpr std::size_t tier_batch = 512;            ///< records of the log in one reading
inline constexpr auto tier_block = 500ms;                 ///< a reading waits so long for news…
inline constexpr auto tier_in_step = 1500ms;        ///< …and without an answer counts as away
inline constexpr auto tier_beat = 2s;               ///< a node says so often that it lives
inline constexpr auto tier_gone = 5s;               ///< silent for so long: it does not
inline constexpr std::size_t tier_node_log = 4096;  ///< of what nodes say of themselves, about
inline constexpr std::size_t tier_nodes = 1024;     ///< that are known at a time
inline constexpr std::size_t tier_node_name = 256;  ///< longest name of a node
inline constexpr auto tier_confirm = 1s;  ///< a purge waits so long for nodes to make it…
inline constexpr auto tier_count = 10s;   ///< …and for their sweeps, which count what it covers
inline constexpr std::size_t tier_covered = 64;       ///< counts in one record, or kept of one node
inline constexpr std::size_t tier_unsaid = 4096;      ///< purges that wait to be said
inline constexpr auto tier_said = 10min;              ///< said again if the log was lost, so long
inline constexpr auto tier_ask = 2s;                  ///< for one command about the log
inline constexpr auto tier_skew = 2s;                 ///< a response from the future, at most
inline constexpr std::size_t tier_dictionaries = 32;  ///< of others that are kept
inline constexpr auto tier_variants = 60s;            ///< what a key varies by is kept, at least
inline constexpr auto tier_dictionary = 48h;          ///< one stays in Redis for so long…
inline constexpr auto tier_dictionary_again = 1h;     ///< …and is said again after
inline constexpr auto tier_with_dictionary = 24h;     ///< longest life of what needs one
inline constexpr auto tier_lease = 5s;                ///< to ask the origin for a key…
inline constexpr auto tier_wait = 500ms;              ///< …for which others wait so long
inline constexpr auto tier_look = 10ms;               ///< and look again after
inline constexpr std::size_t tier_tags = 16;          ///< of a response that reclaiming knows
inline constexpr std::size_t tier_tagged = 100'000;   ///< responses of one tag that it knows
inline constexpr unsigned tier_reclaims = 4;          ///< tags whose responses go, at a time…
inline constexpr std::size_t tier_reclaims_wait = 1024;  ///< …while so many wait
inline constexpr std::size_t tier_slice = 500;           ///< removed in one go

}  // namespace scrollgate::limits
