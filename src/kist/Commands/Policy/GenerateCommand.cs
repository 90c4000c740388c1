using System.CommandLine;
using System.Text;
using System.Text.Json;
using Kist.Formats;
using Kist.Host;
using Kist.Kubernetes;
using Kist.Measurement;
using Kist.Pods;
using Kist.Pods.Guest;

namespace Kist.Cli.Commands.Policy;

/// <summary>
/// "kist policy generate": from Kubernetes manifests to policies, init-data and predicted measurements, before anything runs.
/// </summary>
sealed class GenerateCommand
{
    private readonly ManifestArguments _manifests = new();
    private readonly Option<string?> _out = new("--out", "-o") { Description = "Folder for manifests.yaml and, for each workload, policy, init-data and reference values (default: print the manifests)", HelpName = "DIR" };
    private readonly Option<string?> _broker = new("--broker") { Description = "Address of the key broker as guests reach it (default: the one that kist up serves)", HelpName = "URL" };
    private readonly Option<string?> _certificate = new("--broker-certificate") { Description = "File with the certificate that guests accept from it (PEM)", HelpName = "FILE" };
    private readonly Option<string?> _guest = new("--guest") { Description = "Folder of the guest image (default: that of the state directory)", HelpName = "DIR" };
    private readonly Option<int> _memory = new("--memory-mib") { Description = "Memory of the pods' virtual machines; it is measured", DefaultValueFactory = _ => 512 };
    private readonly Option<int> _cpus = new("--vcpus") { Description = "Processors of the pods' virtual machines", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _runtimeClass = new("--runtime-class") { Description = "Runtime class of the pods", DefaultValueFactory = _ => "kist" };
    private readonly Option<bool> _json = PolicyFiles.Json();
    private readonly Option<string?> _state = StateOption.Create();

    public static Command Create() => new GenerateCommand().Build();

    private Command Build()
    {
        var command = _manifests.AddTo(new Command("generate", "Write agent policy, init-data and predicted measurements for Kubernetes manifests."));
        foreach (var option in (Option[])[_out, _broker, _certificate, _guest, _memory, _cpus, _runtimeClass, _json, _state])
            command.Add(option);
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var review = new ManifestReview();
        try
        {
            var set = _manifests.ReadManifests(parse, review);
            var (broker, certificate) = Broker(parse);
            var images = _manifests.Images(parse);
            var pods = await ManifestGenerator.GenerateAsync(
                set, _manifests.Read(parse), images.ResolveAsync, policy => InitDataDocument.Compose(broker, certificate, policy), review, cancellationToken);
            Write(parse, pods, ManifestGenerator.Annotate(set, pods, parse.GetValue(_runtimeClass)!, parse.GetValue(_memory), parse.GetValue(_cpus)));
            ManifestArguments.Print(review);
            return ExitCode.Success;
        }
        catch (OperationFailedException) when (review.Remarks.Any(r => r.IsRefusal))
        {
            ManifestArguments.Print(review);
            return ExitCode.Refused;
        }
    }

    private (Uri Address, string Certificate) Broker(ParseResult parse)
    {
        if (parse.GetValue(_broker) is not { } address)
        {
            var endpoints = ServiceEndpoints.Require(parse.Open(_state));
            return (endpoints.BrokerFromGuest, endpoints.BrokerCertificate);
        }

        var uri = Uri.TryCreate(address, UriKind.Absolute, out var parsed) && parsed.Scheme == Uri.UriSchemeHttps
            ? parsed
            : throw new OperationFailedException("read --broker", address, "it is no https address");
        return parse.GetValue(_certificate) is { } file
            ? (uri, PolicyFiles.ReadText(file))
            : throw new OperationFailedException("read --broker-certificate", address, "guests accept no broker without its certificate", "give --broker-certificate FILE");
    }

    private void Write(ParseResult parse, IReadOnlyList<GeneratedPod> pods, string manifests)
    {
        var folder = parse.GetValue(_out);
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "manifests.yaml"), manifests);
        }

        using var guest = GuestImage.Load(parse.GetValue(_guest) ?? parse.Open(_state).Guest);
        var reports = new List<GeneratedPodReport>();
        foreach (var pod in pods)
        {
            var reference = Predict(parse, guest, pod);
            reports.Add(new GeneratedPodReport(
                pod.Workload.Kind, pod.Workload.Name, Convert.ToHexStringLower(pod.InitData.Digest()), pod.Annotation.Length,
                [.. pod.Containers.Select(c => new GeneratedContainerReport(c.Name, c.Reference))], JsonElement.Parse(reference)));
            if (folder is null)
                continue;
            File.WriteAllText(Path.Combine(folder, $"{pod.Workload.FileName}.policy.rego"), pod.Policy);
            File.WriteAllBytes(Path.Combine(folder, $"{pod.Workload.FileName}.init-data.toml"), pod.InitData.Bytes.Span);
            File.WriteAllBytes(Path.Combine(folder, $"{pod.Workload.FileName}.reference.json"), reference);
        }

        if (parse.GetValue(_json))
            Console.Out.WriteLine(PolicyReportJson.Write(reports));
        else if (folder is null)
            Console.Out.Write(manifests);
        else
            PrintSummary(reports, folder);
    }

    /// <summary>What a pod's guest will measure.</summary>
    private byte[] Predict(ParseResult parse, GuestImage guest, GeneratedPod pod)
    {
        var spec = new PodSpec { Guest = guest, InitData = pod.InitData.Bytes, MemoryMebibytes = parse.GetValue(_memory), Cpus = parse.GetValue(_cpus) };
        return LaunchPredictor.Predict(PodLauncher.Inputs(spec)).ToReferenceValues().ToJson();
    }

    private static void PrintSummary(IReadOnlyList<GeneratedPodReport> reports, string folder)
    {
        var text = new StringBuilder();
        foreach (var report in reports)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{report.Kind}/{report.Name}\n  init-data  sha384:{report.InitDataDigest} ({report.AnnotationBytes} bytes as annotation)\n  measures   mr_td {report.Measurement.GetProperty("mr_td").GetString()}\n");
            foreach (var container in report.Containers)
                text.Append(System.Globalization.CultureInfo.InvariantCulture, $"  container  {container.Name}  {container.Image}\n");
        }

        Console.Out.Write(text);
        Terminal.Note($"written to {folder}");
        Terminal.Hint("register what guests will measure: kist reference add FILE.reference.json --name NAME; then kubectl apply -f manifests.yaml");
    }
}
