package sightline.flink;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;

/**
 * Reads one record into the columns that the table has, by their names.
 *
 * <p>A STRING column is null unless the record holds a text there. {@code malformed} says why the
 * record is set aside; then {@code payload} is what it was and every other column is null.
 */
final class SightingReader implements DeserializationSchema<RowData> {

  private static final long serialVersionUID = 1;
  private static final int LONGEST_PAYLOAD = 1000; // characters
  private static final String SEEN_AT = "seen_at";
  private static final String MALFORMED = "malformed";
  private static final String PAYLOAD = "payload";
  private static final String[] REQUIRED = {"sighting_id", "device_id"};

  private final String[] columns;
  private final int malformed;
  private final int payload;
  private final TypeInformation<RowData> produced;
  private transient ObjectMapper json;

  SightingReader(RowType table, TypeInformation<RowData> produced) {
    for (RowType.RowField field : table.getFields()) {
      LogicalTypeRoot wanted =
          field.getName().equals(SEEN_AT)
              ? LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE
              : LogicalTypeRoot.VARCHAR;
      if (field.getType().getTypeRoot() != wanted) {
        throw new ValidationException("the format 'sightings' has no such column: " + field);
      }
    }
    this.columns = table.getFieldNames().toArray(new String[0]);
    this.malformed = table.getFieldIndex(MALFORMED);
    this.payload = table.getFieldIndex(PAYLOAD);
    if (malformed < 0 || payload < 0) {
      throw new ValidationException("the format 'sightings' needs the columns malformed and payload");
    }
    this.produced = produced;
  }

  @Override
  public void open(InitializationContext context) {
    json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  }

  @Override
  public RowData deserialize(byte[] record) {
    try {
      return row(json.readTree(record));
    } catch (IOException error) {
      return aside("not JSON", record);
    } catch (Malformed error) {
      return aside(error.getMessage(), record);
    }
  }

  private RowData row(JsonNode sighting) throws Malformed {
    if (!sighting.isObject()) {
      throw new Malformed("not a JSON object");
    }
    for (String name : REQUIRED) {
      if (sighting.path(name).asText().isEmpty() || !sighting.path(name).isTextual()) {
        throw new Malformed("no " + name);
      }
    }
    TimestampData seenAt = time(sighting.path(SEEN_AT));
    GenericRowData row = new GenericRowData(columns.length);
    for (int place = 0; place < columns.length; place++) {
      row.setField(place, columns[place].equals(SEEN_AT) ? seenAt : text(place, sighting));
    }
    return row;
  }

  private StringData text(int place, JsonNode sighting) {
    JsonNode value = sighting.get(columns[place]);
    boolean ours = place == malformed || place == payload;
    return ours || value == null || !value.isTextual()
        ? null
        : StringData.fromString(value.textValue());
  }

  private static TimestampData time(JsonNode value) throws Malformed {
    if (!value.isTextual()) {
      throw new Malformed("no " + SEEN_AT);
    }
    try {
      long millis = OffsetDateTime.parse(value.textValue()).toInstant().toEpochMilli();
      return TimestampData.fromEpochMillis(millis);
    } catch (DateTimeException | ArithmeticException error) {
      throw new Malformed(SEEN_AT + " is no ISO 8601 time");
    }
  }

  private RowData aside(String reason, byte[] record) {
    String text = record == null ? "" : new String(record, StandardCharsets.UTF_8);
    GenericRowData row = new GenericRowData(columns.length);
    row.setField(malformed, StringData.fromString(reason));
    row.setField(payload, StringData.fromString(shortened(text)));
    return row;
  }

  /** Never cut within a character outside the BMP: half of one is no text. */
  private static String shortened(String text) {
    int length = text.codePointCount(0, text.length());
    return length <= LONGEST_PAYLOAD
        ? text
        : text.substring(0, text.offsetByCodePoints(0, LONGEST_PAYLOAD));
  }

  @Override
  public boolean isEndOfStream(RowData next) {
    return false;
  }

  @Override
  public TypeInformation<RowData> getProducedType() {
    return produced;
  }

  private static final class Malformed extends Exception {

    private static final long serialVersionUID = 1;

    Malformed(String reason) {
      super(reason, null, false, false); // no stack trace: it is part of the day's work
    }
  }
}
