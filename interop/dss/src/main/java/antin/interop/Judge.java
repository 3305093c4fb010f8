package antin.interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * EU DSS and veraPDF for the tests of this folder: one line of JSON for every file.
 *
 * <pre>
 * java -cp 'target/lib/*' antin.interop.Judge dss ROOT.pem online|offline default|eddsa PASSWORD|- PDF-or-folder...
 * java -cp 'target/lib/*' antin.interop.Judge at TIME ROOT.pem online|offline default|eddsa PASSWORD|- PDF-or-folder...
 * java -cp 'target/lib/*' antin.interop.Judge verapdf auto|1b|2a|... PDF-or-folder...
 * java -cp 'target/lib/*' antin.interop.Judge sign ROOT.pem TSA-URL LEVEL SHA256 plain|pss KEY.p12 P12-PASSWORD FIELD|- PDF-PASSWORD|- IN OUT
 * java -cp 'target/lib/*' antin.interop.Judge extend ROOT.pem TSA-URL LEVEL PDF-PASSWORD|- IN OUT
 * java -cp 'target/lib/*' antin.interop.Judge cades-sign ROOT.pem TSA-URL LEVEL attached|detached KEY.p12 P12-PASSWORD IN OUT
 * java -cp 'target/lib/*' antin.interop.Judge cades-extend ROOT.pem TSA-URL LEVEL CONTENT|- IN OUT
 * java -cp 'target/lib/*' antin.interop.Judge cades ROOT.pem TIME|- CONTENT|- IN
 * java -cp 'target/lib/*' antin.interop.Judge -
 * </pre>
 *
 * The last form reads requests from standard input until it ends, a few at a time: one a line, an identifier and the
 * arguments above separated by tabs; every answer carries the identifier. What fails is answered with "error": whether
 * that is a failure of the test is for the other side to decide.
 */
public final class Judge {
    /** The machines that run this have two cores. */
    private static final int WORKERS = 2;

    private static final PrintStream OUT = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out),
            false, StandardCharsets.UTF_8);

    private Judge() {
    }

    public static void main(String[] args) throws Exception {
        System.setOut(System.err); // nothing but answers on standard output
        if (args.length == 1 && args[0].equals("-")) {
            serve();
        } else {
            run("", args);
        }
    }

    private static void serve() throws Exception {
        print(Map.of("id", "hello", "dss", Dss.version()));
        ExecutorService pool = Executors.newFixedThreadPool(WORKERS);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            pool.execute(() -> run(parts[0], Arrays.copyOfRange(parts, 1, parts.length)));
        }
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.MINUTES);
    }

    private static void run(String id, String[] a) {
        try {
            switch (a.length == 0 ? "" : a[0]) {
                case "dss" -> {
                    for (String file : files(a, 5)) {
                        answer(id, file, () -> Dss.validate("-", a[1], a[2].equals("online"), a[3], a[4], file));
                    }
                }
                case "at" -> {
                    for (String file : files(a, 6)) {
                        answer(id, file, () -> Dss.validate(a[1], a[2], a[3].equals("online"), a[4], a[5], file));
                    }
                }
                case "verapdf" -> {
                    for (String file : files(a, 2)) {
                        answer(id, file, () -> Vera.validate(a[1], file));
                    }
                }
                case "sign" -> answer(id, a[10], () -> Dss.sign(a));
                case "cades-sign" -> answer(id, a[7], () -> Cades.sign(a));
                case "cades-extend" -> answer(id, a[5], () -> Cades.extend(a));
                case "cades" -> answer(id, a[4], () -> Cades.validate(a));
                case "extend" -> answer(id, a[5], () -> Dss.extend(a));
                default -> answer(id, "", () -> {
                    throw new IllegalArgumentException("unknown request " + Arrays.toString(a));
                });
            }
        } catch (Exception e) {
            answer(id, "", () -> {
                throw e;
            });
        }
    }

    /** The PDF files named from place first on, folders opened. */
    private static List<String> files(String[] a, int first) throws Exception {
        java.util.ArrayList<String> all = new java.util.ArrayList<>();
        for (String name : Arrays.copyOfRange(a, first, a.length)) {
            if (!Files.isDirectory(Path.of(name))) {
                all.add(name);
                continue;
            }
            try (Stream<Path> inside = Files.list(Path.of(name))) {
                inside.map(Path::toString).filter(p -> p.endsWith(".pdf")).sorted().forEach(all::add);
            }
        }
        return all;
    }

    /** What makes one answer. */
    private interface Work {
        Map<String, Object> run() throws Exception;
    }

    private static void answer(String id, String file, Work work) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("id", id);
        line.put("file", file);
        try {
            line.putAll(work.run());
        } catch (Throwable e) { // also what libraries throw when they run out of memory or stack
            line.put("error", e.getClass().getSimpleName() + ": " + e.getMessage());
        }
        print(line);
    }

    private static synchronized void print(Map<String, ?> line) {
        OUT.println(Json.write(line));
        OUT.flush();
    }
}
