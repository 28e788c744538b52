// tests/conformance/sink_conformance.hpp — what every store must do, told once and run against
// each.
//
// A store's test writes a Place and instantiates the suite:
//
//   struct MyPlace {
//     MyPlace();                                       // a fresh, empty store
//     stages::Store& store();
//     stages::Journal* journal();                      // the run's, or null
//     std::vector<std::string> objects();              // what other people see, by name; not by
//     Store std::vector<std::string> traces();               // what is there besides objects: part
//     files, uploads static constexpr std::size_t unit_bytes = …;     // its chunk or part: sizes
//     around it are tried static constexpr bool refuses_existing = …;      // commit fails when the
//     name is taken
//   };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, SinkConformance, MyPlace);
#pragma once

#include "stages/store.hpp"
#include "stages/store/journal.hpp"
#include "tests/support/stage_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace bp::test {

template <class Place>
class SinkConformance : public testing::Test {
 protected:
  using Names = std::vector<std::string>;

  [[nodiscard]] stages::BuildContext context(const std::string& object) {
    stages::BuildContext context;
    context.run_id = "20261123-020000-ab12";
    context.source_id = "etc";
    context.object_name = object;
    context.journal = place.journal();
    return context;
  }
  [[nodiscard]] SinkDriver sink(const std::string& object) {
    return SinkDriver{place.store().sink(context(object))};
  }
  [[nodiscard]] SinkDriver replacing_sink(const std::string& object) {
    stages::BuildContext replacing = context(object);
    replacing.replace_existing = true;
    return SinkDriver{place.store().sink(replacing)};
  }
  void store_object(const std::string& object, const Bytes& bytes) {
    SinkDriver driver = sink(object);
    driver.prepare(bytes);
    [[maybe_unused]] const Receipt receipt = driver.commit();
  }
  Bytes read(const std::string& object, stages::Range range = {}) {
    return read_all(place.store().open(object, range));
  }
  [[nodiscard]] std::optional<stages::ObjectInfo> head(const std::string& object) {
    return run(place.store().head(object));
  }
  [[nodiscard]] Names list(const std::string& prefix) {
    Names names;
    for (const stages::ObjectInfo& info : run(place.store().list(prefix)))
      names.push_back(info.name);
    return names;
  }
  void sweep_everything() {
    for (const stages::JournalEntry& entry : place.journal()->open_entries()) {
      run(place.store().sweep(entry));
      place.journal()->end(entry.id);
    }
  }
  void expect_nothing() {
    EXPECT_EQ(place.objects(), Names{});
    EXPECT_EQ(place.traces(), Names{});
    if (place.journal() != nullptr) {
      EXPECT_TRUE(place.journal()->open_entries().empty());
    }
  }
  void expect_round_trip(std::size_t bytes) {
    const Bytes data = pattern(bytes);
    SinkDriver driver = sink("h/2026-11-23/etc.tar");

    driver.preflight();
    driver.prepare(data);
    const Receipt receipt = driver.commit();

    EXPECT_EQ(receipt.bytes, bytes);
    EXPECT_EQ(receipt.location, place.store().location("h/2026-11-23/etc.tar"));
    EXPECT_EQ(place.objects(), Names{"h/2026-11-23/etc.tar"});
    EXPECT_EQ(place.traces(), Names{});
    EXPECT_TRUE(read("h/2026-11-23/etc.tar") == data);
    EXPECT_TRUE(driver.context.warnings.empty());
    if (place.journal() != nullptr) {
      EXPECT_TRUE(place.journal()->open_entries().empty());
    }
  }

  Place place;
};

TYPED_TEST_SUITE_P(SinkConformance);

TYPED_TEST_P(SinkConformance, ShowsNothingBeforeCommit) {
  SinkDriver driver = this->sink("h/d/etc.tar");
  driver.preflight();
  driver.prepare(pattern(300'000));

  EXPECT_EQ(this->place.objects(), std::vector<std::string>{});
  EXPECT_EQ(this->list(""), std::vector<std::string>{});
  EXPECT_FALSE(this->head("h/d/etc.tar"));
  driver.abort();
}

TYPED_TEST_P(SinkConformance, LeavesNothingAfterPreflight) {
  this->sink("h/d/etc.tar").preflight();

  this->expect_nothing();
}

TYPED_TEST_P(SinkConformance, LeavesNothingAfterAbort) {
  SinkDriver driver = this->sink("h/d/etc.tar");
  driver.prepare(pattern(300'000));

  driver.abort();

  this->expect_nothing();
}

TYPED_TEST_P(SinkConformance, LeavesNothingAfterTwoAborts) {
  SinkDriver driver = this->sink("h/d/etc.tar");
  driver.prepare(pattern(300'000));

  driver.abort();
  driver.abort();

  this->expect_nothing();
}

TYPED_TEST_P(SinkConformance, LeavesNothingWhenAbortedBeforePrepare) {
  this->sink("h/d/etc.tar").abort();

  this->expect_nothing();
}

TYPED_TEST_P(SinkConformance, LeavesNothingWhenAVoidedStreamIsAborted) {
  SinkDriver driver = this->sink("h/d/etc.tar");
  EXPECT_THROW(driver.prepare_voided(pattern(300'000)), Error);

  driver.abort();

  this->expect_nothing();
}

TYPED_TEST_P(SinkConformance, ShowsNothingWhenDestroyedWhilePrepared) {
  { this->sink("h/d/etc.tar").prepare(pattern(300'000)); }

  EXPECT_EQ(this->place.objects(), std::vector<std::string>{});
  EXPECT_EQ(this->list(""), std::vector<std::string>{});
}

TYPED_TEST_P(SinkConformance, SweepsWhatADestroyedSinkLeft) {
  { this->sink("h/d/etc.tar").prepare(pattern(300'000)); }
  if (this->place.journal() != nullptr) this->sweep_everything();

  EXPECT_EQ(this->place.traces(), std::vector<std::string>{});
}

TYPED_TEST_P(SinkConformance, StoresAnEmptyStream) {
  this->expect_round_trip(0);
}
TYPED_TEST_P(SinkConformance, StoresOneByte) {
  this->expect_round_trip(1);
}
TYPED_TEST_P(SinkConformance, StoresExactlyOneUnit) {
  this->expect_round_trip(TypeParam::unit_bytes);
}
TYPED_TEST_P(SinkConformance, StoresOneUnitAndAByte) {
  this->expect_round_trip(TypeParam::unit_bytes + 1);
}
TYPED_TEST_P(SinkConformance, StoresManyUnits) {
  this->expect_round_trip(std::size_t{20'000'003});
}

TYPED_TEST_P(SinkConformance, StoresTwoObjectsSideBySide) {
  SinkDriver one = this->sink("h/d/one.tar");
  SinkDriver two = this->sink("h/d/two.tar");
  one.prepare(bytes_of("first"));
  two.prepare(bytes_of("second"));

  one.commit();
  two.commit();

  EXPECT_EQ(this->read("h/d/one.tar"), bytes_of("first"));
  EXPECT_EQ(this->read("h/d/two.tar"), bytes_of("second"));
  EXPECT_EQ(this->place.traces(), std::vector<std::string>{});
}

TYPED_TEST_P(SinkConformance, OneSinksAbortDoesNotHurtAnother) {
  SinkDriver kept = this->sink("h/d/kept.tar");
  SinkDriver failed = this->sink("h/d/failed.tar");
  failed.prepare(bytes_of("failed"));
  kept.prepare(bytes_of("kept"));

  failed.abort();
  kept.commit();

  EXPECT_EQ(this->place.objects(), std::vector<std::string>{"h/d/kept.tar"});
  EXPECT_EQ(this->read("h/d/kept.tar"), bytes_of("kept"));
}

TYPED_TEST_P(SinkConformance, KeepsTheOldObjectUnlessToldToReplaceItWhereItCanRefuse) {
  this->store_object("h/etc.tar", bytes_of("old"));
  SinkDriver driver = this->sink("h/etc.tar");
  driver.prepare(bytes_of("new"));
  if (!TypeParam::refuses_existing) {
    EXPECT_NO_THROW(driver.commit());
    EXPECT_EQ(this->read("h/etc.tar"), bytes_of("new"));
    return;
  }

  EXPECT_THROW(driver.commit(), Error);

  EXPECT_EQ(this->read("h/etc.tar"), bytes_of("old"));
  EXPECT_EQ(this->place.traces(), std::vector<std::string>{});
}

TYPED_TEST_P(SinkConformance, ReplacesWhenTold) {
  this->store_object("h/etc.tar", bytes_of("old and longer"));
  SinkDriver driver = this->replacing_sink("h/etc.tar");
  driver.preflight();
  driver.prepare(bytes_of("new"));

  driver.commit();

  EXPECT_EQ(this->read("h/etc.tar"), bytes_of("new"));
  EXPECT_EQ(this->place.traces(), std::vector<std::string>{});
  if (this->place.journal() != nullptr) {
    EXPECT_TRUE(this->place.journal()->open_entries().empty());
  }
}

TYPED_TEST_P(SinkConformance, ReplacesWhatIsNotThere) {
  SinkDriver driver = this->replacing_sink("h/etc.tar");
  driver.prepare(bytes_of("new"));

  driver.commit();

  EXPECT_EQ(this->read("h/etc.tar"), bytes_of("new"));
}

TYPED_TEST_P(SinkConformance, AnAbortedReplacementKeepsTheOldObject) {
  this->store_object("h/etc.tar", bytes_of("old"));
  SinkDriver driver = this->replacing_sink("h/etc.tar");
  driver.prepare(bytes_of("new"));

  driver.abort();

  EXPECT_EQ(this->read("h/etc.tar"), bytes_of("old"));
  EXPECT_EQ(this->place.traces(), std::vector<std::string>{});
}

TYPED_TEST_P(SinkConformance, ListsByPrefixInTheOrderOfNames) {
  this->store_object("web1/b/etc.tar", bytes_of("1"));
  this->store_object("web1/a/etc.tar", bytes_of("22"));
  this->store_object("web10/a/etc.tar", bytes_of("333"));
  this->store_object("db/a/etc.tar", bytes_of("4444"));

  EXPECT_EQ(this->list("web1"),
            (std::vector<std::string>{"web1/a/etc.tar", "web1/b/etc.tar", "web10/a/etc.tar"}));
  EXPECT_EQ(this->list("web1/"), (std::vector<std::string>{"web1/a/etc.tar", "web1/b/etc.tar"}));
  EXPECT_EQ(this->list("web1/a/e"), std::vector<std::string>{"web1/a/etc.tar"});
  EXPECT_EQ(this->list("mail/"), std::vector<std::string>{});
  EXPECT_EQ(this->list("").size(), 4U);
}

TYPED_TEST_P(SinkConformance, TellsTheSizeOfAnObject) {
  this->store_object("h/etc.tar", pattern(12'345));

  const std::optional<stages::ObjectInfo> info = this->head("h/etc.tar");

  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "h/etc.tar");
  EXPECT_EQ(info->bytes, 12'345U);
  EXPECT_FALSE(this->head("h/etc"));
  EXPECT_FALSE(this->head("h"));
}

TYPED_TEST_P(SinkConformance, ReadsARange) {
  const Bytes data = pattern(200'000);
  this->store_object("h/etc.tar", data);

  const Bytes middle = this->read("h/etc.tar", {.offset = 70'000, .length = 65'537});
  const Bytes tail = this->read("h/etc.tar", {.offset = 199'999, .length = std::nullopt});

  EXPECT_TRUE(middle == Bytes(data.begin() + 70'000, data.begin() + 70'000 + 65'537));
  EXPECT_TRUE(tail == Bytes(data.begin() + 199'999, data.end()));
}

TYPED_TEST_P(SinkConformance, RefusesToReadMoreThanThereIs) {
  this->store_object("h/etc.tar", pattern(1000));

  EXPECT_THROW(this->read("h/etc.tar", {.offset = 900, .length = 101}), Error);
  EXPECT_THROW(this->read("h/etc.tar", {.offset = 1001, .length = std::nullopt}), Error);
  EXPECT_THROW(this->read("h/nothing.tar"), Error);
}

TYPED_TEST_P(SinkConformance, RemovesOneObjectAndNothingElse) {
  this->store_object("h/etc.tar", bytes_of("1"));
  this->store_object("h/etc.tar.manifest.json", bytes_of("2"));

  run(this->place.store().remove("h/etc.tar"));
  run(this->place.store().remove("h/etc.tar"));  // is not there: no error

  EXPECT_EQ(this->place.objects(), std::vector<std::string>{"h/etc.tar.manifest.json"});
}

REGISTER_TYPED_TEST_SUITE_P(
    SinkConformance, ShowsNothingBeforeCommit, LeavesNothingAfterPreflight, LeavesNothingAfterAbort,
    LeavesNothingAfterTwoAborts, LeavesNothingWhenAbortedBeforePrepare,
    LeavesNothingWhenAVoidedStreamIsAborted, ShowsNothingWhenDestroyedWhilePrepared,
    SweepsWhatADestroyedSinkLeft, StoresAnEmptyStream, StoresOneByte, StoresExactlyOneUnit,
    StoresOneUnitAndAByte, StoresManyUnits, StoresTwoObjectsSideBySide,
    OneSinksAbortDoesNotHurtAnother, KeepsTheOldObjectUnlessToldToReplaceItWhereItCanRefuse,
    ReplacesWhenTold, ReplacesWhatIsNotThere, AnAbortedReplacementKeepsTheOldObject,
    ListsByPrefixInTheOrderOfNames, TellsTheSizeOfAnObject, ReadsARange,
    RefusesToReadMoreThanThereIs, RemovesOneObjectAndNothingElse);

}  // namespace bp::test
