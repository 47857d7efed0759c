// Puts records and reads them by enhanced fan-out, as the KCL does: HTTP/2, CBOR. One line per thing that happens.
// Arguments: endpoint, stream. It waits for a line on its standard input before it looks at the end of the shard.

import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardEvent;
import software.amazon.awssdk.services.kinesis.model.SubscribeToShardResponseHandler;

public class Subscriber {
    static final String SHARD = "shardId-000000000000";
    static final int CALLS = 20, RECORDS = 50;

    final KinesisAsyncClient kinesis;
    final Set<String> received = ConcurrentHashMap.newKeySet();
    final CountDownLatch allReceived = new CountDownLatch(CALLS * RECORDS);
    volatile SubscribeToShardEvent last;

    Subscriber(String endpoint) {
        kinesis = KinesisAsyncClient.builder()
            .endpointOverride(URI.create(endpoint))
            .httpClientBuilder(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2))
            .build();
    }

    public static void main(String[] arguments) throws Exception {
        new Subscriber(arguments[0]).run(arguments[1]);
    }

    void run(String stream) throws Exception {
        String arn = kinesis.describeStreamSummary(r -> r.streamName(stream)).get()
            .streamDescriptionSummary().streamARN();
        String consumer = kinesis.registerStreamConsumer(r -> r.streamARN(arn).consumerName("java")).get()
            .consumer().consumerARN();
        CompletableFuture<Void> subscription = subscribe(consumer);
        CompletableFuture.allOf(IntStream.range(0, CALLS).mapToObj(call -> put(stream, call))
            .toArray(CompletableFuture[]::new)).get();
        allReceived.await(30, TimeUnit.SECONDS);
        System.out.println("received " + received.size());
        try {
            subscribe(consumer).get();
        } catch (ExecutionException error) {
            System.out.println("refused " + error.getCause().getClass().getSimpleName());
        }
        System.in.read();
        subscription.get(30, TimeUnit.SECONDS);
        System.out.println("ended with " + last.childShards().size() + " children, to go on from "
            + last.continuationSequenceNumber());
        kinesis.close();
    }

    CompletableFuture<?> put(String stream, int call) {
        List<PutRecordsRequestEntry> entries = IntStream.range(0, RECORDS)
            .mapToObj(record -> PutRecordsRequestEntry.builder().partitionKey("k" + record)
                .data(SdkBytes.fromUtf8String(call + "-" + record)).build())
            .toList();
        return kinesis.putRecords(r -> r.streamName(stream).records(entries));
    }

    CompletableFuture<Void> subscribe(String consumer) {
        SubscribeToShardResponseHandler handler = SubscribeToShardResponseHandler.builder()
            .subscriber(SubscribeToShardResponseHandler.Visitor.builder()
                .onSubscribeToShardEvent(event -> {
                    last = event;
                    event.records().forEach(record -> {
                        received.add(record.data().asUtf8String());
                        allReceived.countDown();
                    });
                }).build())
            .build();
        return kinesis.subscribeToShard(r -> r.consumerARN(consumer).shardId(SHARD)
            .startingPosition(p -> p.type(ShardIteratorType.TRIM_HORIZON)), handler);
    }
}
