import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;

/**
 * Renders mapping templates with Apache Velocity, which API Gateway uses: a request and its answer are a line of JSON each.
 *
 * Request: template, body, params ({path, querystring, header}) and context. Answer: text and the changed context, or error.
 */
public class Renderer {
    private static final Gson GSON = new Gson();

    public static class Input {
        private final String body;
        private final Map<?, ?> params;

        Input(String body, Map<?, ?> params) {
            this.body = body;
            this.params = params;
        }

        public String getBody() {
            return body;
        }

        public Map<?, ?> params() {
            return params;
        }
    }

    public static class Util {
        public String escapeJavaScript(String text) {
            return StringEscapeUtils.escapeJavaScript(text);
        }

        public String urlEncode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }

        public String urlDecode(String text) {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        }

        public String base64Decode(String text) {
            return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
        }

        public Object parseJson(String text) {
            return GSON.fromJson(text, Object.class);
        }
    }

    public static void main(String[] arguments) throws IOException {
        VelocityEngine engine = new VelocityEngine();
        engine.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        engine.init();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            out.println(GSON.toJson(answer(engine, GSON.fromJson(line, Map.class))));
        }
    }

    private static Map<String, Object> answer(VelocityEngine engine, Map<?, ?> request) {
        Map<String, Object> answer = new HashMap<>();
        VelocityContext values = new VelocityContext();
        values.put("input", new Input((String) request.get("body"), (Map<?, ?>) request.get("params")));
        values.put("util", new Util());
        values.put("context", request.get("context"));
        try {
            StringWriter text = new StringWriter();
            engine.evaluate(values, text, "template", (String) request.get("template"));
            answer.put("text", text.toString());
            answer.put("context", request.get("context"));
        } catch (RuntimeException | StackOverflowError error) {
            answer.put("error", error.toString());
        }
        return answer;
    }
}
